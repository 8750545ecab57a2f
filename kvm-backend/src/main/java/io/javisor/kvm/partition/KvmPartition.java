package io.javisor.kvm.partition;

import io.javisor.kvm.CpuidEntry;
import io.javisor.kvm.Kvm;
import io.javisor.kvm.KvmVm;
import io.javisor.kvm.Vcpu;
import io.javisor.kvm.VcpuDump;
import io.javisor.partition.GuestMemory;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.InterruptLine;
import io.javisor.partition.MemoryRegion;
import io.javisor.partition.bus.IoBus;
import io.javisor.partition.synic.HvStatus;
import io.javisor.partition.synic.SynIc;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One machine's share of KVM: VM, vCPUs with their threads, memory slots, interrupt controller. Made held; {@link #start} and
 * {@link #resume} let the vCPUs run, {@link #pause} holds them, {@link #close} ends them. State changes are the owner's duty
 * to order; the rest is safe from any thread.
 */
public final class KvmPartition implements AutoCloseable {
    private final PartitionConfig config;
    private final PartitionListener listener;
    private final GuestMemory memory = new GuestMemory();
    private final IoBus ports = new IoBus("port");
    private final IoBus mmio = new IoBus("MMIO");
    private final RunGate gate = new RunGate();
    private final List<VcpuThread> vcpus = new ArrayList<>();
    private final Kvm kvm;
    private final KvmVm vm;
    private @Nullable KvmSynIc synic;
    private int nextSlot;
    private boolean started;
    private boolean closed;

    private KvmPartition(PartitionConfig config, PartitionListener listener, Kvm kvm, KvmVm vm) {
        this.config = config;
        this.listener = listener;
        this.kvm = kvm;
        this.vm = vm;
    }

    /**
     * Creates the VM with its vCPUs; nothing runs.
     *
     * @throws HypervisorException if KVM can't, with the remedy
     */
    public static KvmPartition create(PartitionConfig config, PartitionListener listener) {
        Kvm kvm = Kvm.open();
        KvmVm vm = null;
        KvmPartition partition = null;
        try {
            vm = kvm.createVm();
            partition = new KvmPartition(config, listener, kvm, vm);
            partition.build();
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

    private void build() {
        VmSetup.prepare(kvm, vm, config);
        List<CpuidEntry> supported = kvm.supportedCpuid();
        var msrs = new ServedMsrs(memory, listener);
        for (int id = 0; id < config.vcpus(); id++) {
            Vcpu vcpu = vm.createVcpu(config.apicIds().get(id));
            vcpus.add(new VcpuThread(config.name(), id, vcpu, gate, ports, mmio, new Exits(), msrs, listener));
            VcpuSetup.prepare(kvm, vcpu, config, config.cpuid().leaves(id, supported));
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

    /** Gives the guest a region of memory, also while it runs. The backing must outlive the partition. */
    public synchronized void addMemory(MemoryRegion region) {
        memory.add(region);
        vm.setMemory(nextSlot++, region.gpa(), region.segment());
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
        started = true;
        gate.set(RunGate.Order.RUN);
        vcpus.forEach(VcpuThread::start);
    }

    /** Holds all vCPUs and returns when all are held; one that ended by itself counts as held. */
    public void pause() {
        gate.set(RunGate.Order.HOLD);
        awaitHeld();
    }

    /** Lets held vCPUs go on. */
    public void resume() {
        gate.set(RunGate.Order.RUN);
    }

    /** Tells all vCPUs to stop, without waiting; safe from a vCPU's thread. */
    public void stopSoon() {
        gate.set(RunGate.Order.HOLD);
        vcpus.forEach(VcpuThread::kick);
    }

    private void awaitHeld() {
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
        public long hypercall(long input, long parameter) {
            KvmSynIc here = synic;
            return here == null ? HvStatus.INVALID_HYPERCALL_CODE.code() : here.hypercall(input, parameter);
        }
    }
}
