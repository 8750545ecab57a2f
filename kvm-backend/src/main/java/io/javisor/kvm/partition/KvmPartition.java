package io.javisor.kvm.partition;

import io.javisor.kvm.Capability;
import io.javisor.kvm.CpuidEntry;
import io.javisor.kvm.Exit;
import io.javisor.kvm.GuestDebug;
import io.javisor.kvm.Irqchip;
import io.javisor.kvm.Kvm;
import io.javisor.kvm.KvmException;
import io.javisor.kvm.KvmVm;
import io.javisor.kvm.Msr;
import io.javisor.kvm.Vcpu;
import io.javisor.kvm.VcpuDump;
import io.javisor.kvm.VcpuState;
import io.javisor.kvm.gdb.GdbTarget;
import io.javisor.partition.GuestMemory;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.InterruptLine;
import io.javisor.partition.MemoryRegion;
import io.javisor.partition.bus.Accesses;
import io.javisor.partition.bus.IoBus;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.partition.state.Stateful;
import io.javisor.partition.synic.ColdPages;
import io.javisor.partition.synic.HvStatus;
import io.javisor.partition.synic.SynIc;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * One machine's share of KVM: VM, vCPUs with their threads, memory slots, interrupt controller. Made held; {@link #start} and
 * {@link #resume} let the vCPUs run, {@link #pause} holds them, {@link #close} ends them. State changes are the owner's duty
 * to order; the rest is safe from any thread.
 */
public final class KvmPartition implements Stateful, AutoCloseable {
    /** KVM takes frequencies this close for the same (kvm.tsc_tolerance_ppm). */
    private static final int TSC_TOLERANCE_PPM = 250;

    private final PartitionConfig config;
    private final PartitionListener listener;
    private final GuestMemory memory = new GuestMemory();
    private final IoBus ports = new IoBus("port");
    private final IoBus mmio = new IoBus("MMIO");
    private final RunGate gate = new RunGate();
    private final List<VcpuThread> vcpus = new ArrayList<>();
    private final List<List<CpuidEntry>> cpuid = new ArrayList<>(); // of each vCPU
    private final Kvm kvm;
    private final KvmVm vm;
    private final PartitionDebugging debugging;
    private @Nullable KvmSynIc synic;
    private @Nullable GuestTime stoodStill; // the guest's clocks, while they are to stand still
    private int tscKhz; // 0 where KVM does not tell; kept, because a vCPU that runs answers nothing
    private boolean restored;
    private int nextSlot;
    private volatile @Nullable ExtendedHypercalls extended;
    private boolean started;
    private boolean closed;

    private KvmPartition(PartitionConfig config, PartitionListener listener, Kvm kvm, KvmVm vm) {
        this.config = config;
        this.listener = listener;
        this.kvm = kvm;
        this.vm = vm;
        this.debugging = new PartitionDebugging(this, vm, gate);
    }

    /**
     * Creates the VM with its memory and vCPUs; nothing runs.
     *
     * @param memory what the guest has from the start; the backings must outlive the partition
     * @throws HypervisorException if KVM can't, with the remedy
     */
    public static KvmPartition create(PartitionConfig config, PartitionListener listener, List<MemoryRegion> memory) {
        Kvm kvm = Kvm.open();
        KvmVm vm = null;
        KvmPartition partition = null;
        try {
            vm = kvm.createVm();
            partition = new KvmPartition(config, listener, kvm, vm);
            partition.build(memory);
            return partition;
        } catch (RuntimeException | Error e) {
            if (partition != null) {
                partition.close();
            } else {
                if (vm != null) {
                    vm.close();
                }
                kvm.close();
            }
            throw e;
        }
    }

    /** Whether this host's KVM has all that Hyper-V's identity needs. */
    public static boolean supportsHyperV(Kvm kvm) {
        return VmSetup.missingForHyperV(kvm).isEmpty();
    }

    private void build(List<MemoryRegion> regions) {
        VmSetup.begin(kvm, vm, config);
        regions.forEach(this::addMemory);
        VmSetup.finish(vm, config);
        var supported = new SupportedCpuid(kvm);
        var msrs = new ServedMsrs(memory, listener);
        for (int id = 0; id < config.vcpus(); id++) {
            Vcpu vcpu = vm.createVcpu(config.apicIds().get(id));
            vcpus.add(new VcpuThread(config.name(), id, vcpu, gate, ports, mmio, new Exits(), msrs, listener));
            cpuid.add(VcpuSetup.prepare(kvm, vcpu, config, config.cpuid().leaves(id, supported)));
        }
        if (kvm.has(Capability.GET_TSC_KHZ)) {
            tscKhz = vcpus.getFirst().vcpu().state().tscKhz();
        }
        if (config.hyperV()) {
            synic = SynIcSetup.create(vm, memory, config);
        }
    }

    /** The guest's memory, as devices see it. */
    public GuestMemory memory() {
        return memory;
    }

    /** The guest's I/O ports. */
    public IoBus ports() {
        return ports;
    }

    /** The guest's device memory. */
    public IoBus mmio() {
        return mmio;
    }

    /** The SynICs, for the VMBus; empty without Hyper-V's identity. */
    public Optional<SynIc> synic() {
        return Optional.ofNullable(synic);
    }

    /** Whether this host's KVM lets guests hand back cold pages: {@link CpuOption#COLD_PAGES}. */
    public static boolean supportsColdPages(Kvm kvm) {
        return supportsHyperV(kvm)
                && kvm.has(Capability.SYS_HYPERV_CPUID)
                && HyperV.hasExtendedHypercalls(kvm.supportedHypervCpuid());
    }

    /** Sets who takes the cold pages of a guest with {@link CpuOption#COLD_PAGES}; before {@link #start}. */
    public void setColdPages(ColdPages taker) {
        extended = new ExtendedHypercalls(memory, taker);
    }

    /** Gives the guest a region of memory more, also while it runs. The backing must outlive the partition. */
    public synchronized void addMemory(MemoryRegion region) {
        memory.add(region);
        vm.setMemory(nextSlot++, region.gpa(), region.segment());
    }

    /** The guest as debuggers see it, for its present run. */
    public GdbTarget debugging() {
        return debugging;
    }

    /** Holds the vCPUs at their first instruction until a debugger lets them go; before {@link #start}. */
    public void waitForDebugger() {
        gate.allow(new BitSet());
    }

    /** A wire into the interrupt controller. */
    public InterruptLine line(int gsi) {
        return asserted -> vm.interrupts().setLine(gsi, asserted);
    }

    /** Sets where the boot vCPU begins; before {@link #start}. The others wait for it to wake them (INIT, SIPI). */
    public void setEntry(LongModeEntry entry) {
        VcpuSetup.enterLongMode(vcpus.getFirst().vcpu(), entry);
    }

    /** Starts the vCPUs' threads and lets them run. */
    public void start() {
        goOn();
        started = true;
        gate.set(RunGate.Order.RUN);
        try {
            vcpus.forEach(VcpuThread::start);
        } catch (OutOfMemoryError e) {
            // What the JVM makes of a thread that the kernel or the C library refuses it.
            throw new HypervisorException(
                    "host-threads",
                    config.name() + " needs " + config.vcpus() + " threads for its vCPUs: " + e.getMessage(),
                    "pthread_create",
                    0,
                    "raise the limits of threads (ulimit -u, the cgroup's pids.max, kernel.threads-max), of mappings"
                            + " (vm.max_map_count) or of address space (ulimit -v), or run fewer vCPUs",
                    e);
        }
    }

    /** Holds all vCPUs and returns when all are held; one that ended by itself counts as held. The guest's time goes on. */
    public void hold() {
        gate.set(RunGate.Order.HOLD);
        awaitHeld();
    }

    /** Lets held vCPUs go on. */
    public void release() {
        gate.set(RunGate.Order.RUN);
    }

    /** Holds all vCPUs like {@link #hold}; for the guest, no time passes until {@link #resume}. */
    public void pause() {
        hold();
        try {
            stoodStill = GuestTime.read(vm, handles());
        } catch (RuntimeException | Error e) {
            release(); // it is not paused
            throw e;
        }
    }

    /** Lets paused vCPUs go on, or restored ones begin, where the guest's time stood. */
    public void resume() {
        if (started) {
            goOn();
            release();
        } else {
            start();
        }
    }

    /** Sets the guest's clocks to where they stood. */
    private void goOn() {
        GuestTime time = stoodStill;
        if (time != null) {
            time.apply(vm, handles());
            // The watchdogs of guests with kvmclock look for this; others have none that runs on while time stands.
            handles().forEach(v -> v.state().clockStopped());
            stoodStill = null; // only now: what fails can be tried again
        }
        KvmSynIc here = synic;
        if (restored && here != null) {
            restored = false;
            here.wake();
        }
    }

    List<Vcpu> handles() {
        return vcpus.stream().map(VcpuThread::vcpu).toList();
    }

    @Override
    public String stateName() {
        return "partition";
    }

    @Override
    public int stateVersion() {
        return 1;
    }

    /** Writes the vCPUs, the interrupt controllers and the clocks; paused. Memory is not among it. */
    @Override
    public void save(StateWriter out) {
        GuestTime time = stoodStill;
        if (time == null) {
            throw new IllegalStateException("save of a partition that is not paused");
        }
        StateWriter clocks = new StateWriter();
        time.save(clocks);
        out.put("time", clocks);
        for (Irqchip chip : Irqchip.values()) {
            out.put(chip.name(), vm.interrupts().chip(chip));
        }
        int[] msrs = GuestMsrs.of(kvm);
        for (int id = 0; id < vcpus.size(); id++) {
            StateWriter one = new StateWriter();
            VcpuRecord.save(kvm, vcpus.get(id).vcpu().state(), msrs, one);
            out.put("vcpu" + id, one);
        }
    }

    /** The processors that the guest knows, for {@link #restore} on this host or another. */
    public SavedProcessors processors() {
        return new SavedProcessors(
                config.apicIds(),
                cpuid, // as it was set: what KVM gives back, the guest and the host have changed
                tscKhz,
                config.hyperV());
    }

    /**
     * Whether this host can go on with processors that were saved; looks, and changes nothing.
     *
     * @param complete adds what is true of the host's processor although KVM does not say so
     * @throws HypervisorException code {@code saved-state-incompatible}, with all that is missing
     */
    public static void requireFit(SavedProcessors saved, UnaryOperator<List<CpuidEntry>> complete) {
        try (Kvm kvm = Kvm.open()) {
            HostFit.require(kvm, saved, complete);
        }
    }

    /**
     * Sets a partition's TSC frequency to that of the machine that was saved; before {@link #restore}.
     *
     * @throws HypervisorException code {@code saved-state-incompatible} if the host's is another and it has no TSC scaling
     */
    public void setTscFrequency(int savedKhz) {
        for (Vcpu vcpu : handles()) {
            int here = savedKhz == 0 || !kvm.has(Capability.GET_TSC_KHZ)
                    ? savedKhz
                    : vcpu.state().tscKhz();
            long tolerance = (long) here * TSC_TOLERANCE_PPM / 1_000_000;
            if (Math.abs(here - savedKhz) <= tolerance) {
                continue;
            }
            if (!kvm.has(Capability.TSC_CONTROL)) {
                throw new HypervisorException(
                        "saved-state-incompatible",
                        "the guest knows a TSC of " + savedKhz + " kHz; this host's has " + here
                                + " kHz, and can't be scaled",
                        "restore it on a host whose TSC has the same frequency, or that has TSC scaling");
            }
            vcpu.state().setTscKhz(savedKhz);
            tscKhz = savedKhz;
        }
    }

    /** Takes over a machine that was saved, into a fresh partition that has its memory; what holds the vCPUs stays. */
    @Override
    public void restore(StateReader in) {
        in.requireVersion(stateVersion());
        if (started) {
            throw new IllegalStateException("restore into a partition that has run");
        }
        GuestTime time = GuestTime.of(in.getInner("time"), vcpus.size());
        try {
            time.apply(vm, handles());
            for (int id = 0; id < vcpus.size(); id++) {
                VcpuState state = vcpus.get(id).vcpu().state();
                VcpuRecord.restore(state, "vcpu" + id, in.getInner("vcpu" + id));
            }
            for (Irqchip chip : Irqchip.values()) {
                vm.interrupts().setChip(chip, in.getBytes(chip.name(), Irqchip.STATE_BYTES));
            }
            restoreSynIc();
        } catch (KvmException e) {
            throw new StateException("partition: this host's KVM refuses it: " + e.getMessage());
        }
        stoodStill = time;
        restored = true;
    }

    /** What Java keeps of the SynICs is what their MSRs say. */
    private void restoreSynIc() {
        KvmSynIc here = synic;
        if (here == null) {
            return;
        }
        for (int id = 0; id < vcpus.size(); id++) {
            List<Msr> msrs = vcpus.get(id).vcpu().msrs(GuestMsrs.HV_SCONTROL, GuestMsrs.HV_SIEFP, GuestMsrs.HV_SIMP);
            here.restored(
                    id, msrs.get(0).value(), msrs.get(1).value(), msrs.get(2).value());
        }
    }

    /** Tells all vCPUs to stop, without waiting; safe from a vCPU's thread. */
    public void stopSoon() {
        gate.set(RunGate.Order.HOLD);
        vcpus.forEach(VcpuThread::kick);
    }

    /** Tells all vCPUs to look at the gate. */
    void kickAll() {
        vcpus.forEach(VcpuThread::kick);
    }

    /** Waits until all vCPUs that the gate does not let run are held; returns at once if it lets them. */
    void awaitHeld() {
        boolean interrupted = false;
        while (true) {
            vcpus.forEach(VcpuThread::kick);
            int alive = (int) vcpus.stream().filter(v -> v.thread().isAlive()).count();
            try {
                if (gate.awaitHeld(alive, RunGate.KICK_AGAIN_NANOS)) {
                    break;
                }
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Returns of KVM_RUN by reason, over all vCPUs; at any time. */
    public Map<String, Long> exitCounts() {
        var counts = new TreeMap<String, Long>();
        for (ExitReason reason : ExitReason.values()) {
            long sum = 0;
            for (VcpuThread vcpu : vcpus) {
                sum += vcpu.counters().get(reason);
            }
            if (sum > 0) {
                counts.put(reason.name(), sum);
            }
        }
        return counts;
    }

    /** Accesses to registers by device, ports and device memory together; at any time. */
    public Map<String, Accesses> deviceAccesses() {
        var all = new TreeMap<>(ports.accesses());
        mmio.accesses().forEach((name, accesses) -> all.merge(name, accesses, Accesses::plus));
        return all;
    }

    /** Accesses to MSRs that the guest does not have, over all vCPUs. */
    public long unknownMsrs() {
        return vcpus.stream().mapToLong(VcpuThread::unknownMsrs).sum();
    }

    /** All vCPUs' registers as text; only while they are held. */
    public List<String> registers() {
        return vcpus.stream().map(v -> VcpuDump.of(v.vcpu()).toString()).toList();
    }

    /** Names of the vCPUs' threads. */
    public List<String> threadNames() {
        return vcpus.stream().map(v -> v.thread().getName()).toList();
    }

    /** Ends all vCPUs for good, and waits for their threads. Not from a vCPU's thread. Idempotent. */
    public synchronized void end() {
        gate.set(RunGate.Order.END);
        debugging.ended();
        vcpus.forEach(VcpuThread::kick); // all, so that they end side by side
        boolean interrupted = false;
        for (VcpuThread vcpu : vcpus) {
            while (started && vcpu.thread().isAlive()) {
                vcpu.kick();
                try {
                    vcpu.thread().join(Duration.ofNanos(RunGate.KICK_AGAIN_NANOS));
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends all vCPUs and gives the VM back to KVM. Not from a vCPU's thread. Idempotent. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        end();
        closed = true;
        if (synic != null) {
            synic.close();
        }
        vcpus.forEach(v -> v.vcpu().close());
        vm.close();
        kvm.close();
    }

    /** Exits that belong to the hypervisor itself. */
    private final class Exits implements VcpuThread.HypervisorExits {
        @Override
        public void synicWritten(int vcpu, long control, long eventPage, long messagePage) {
            KvmSynIc here = synic;
            if (here != null) {
                here.written(vcpu, control, eventPage, messagePage);
            }
        }

        @Override
        public long hypercall(long input, long in, long out) {
            ExtendedHypercalls more = extended;
            if (more != null && (input & 0x8000) != 0) {
                return more.call(input, in, out);
            }
            KvmSynIc here = synic;
            return here == null ? HvStatus.INVALID_HYPERCALL_CODE.code() : here.hypercall(input, in);
        }

        @Override
        public @Nullable GuestDebug debugged(int vcpu, Exit.Debug exit) {
            return debugging.stopped(vcpu, exit);
        }

        @Override
        public OptionalLong breakpoint(long rip) {
            return debugging.output(rip);
        }

        @Override
        public void stoppedAtBreakpoint(int vcpu) {
            debugging.stoppedAtOutput(vcpu);
        }
    }
}
