package io.javisor.kvm.partition;

import io.javisor.kvm.Exit;
import io.javisor.kvm.GuestDebug;
import io.javisor.kvm.KvmException;
import io.javisor.kvm.Vcpu;
import io.javisor.kvm.VcpuDump;
import io.javisor.kvm.gdb.GdbTarget;
import io.javisor.linux.HostThread;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.bus.IoBus;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * One vCPU and the platform thread that runs it. The loop enters the guest, serves the exit, and looks at the gate only when
 * it was kicked: by then KVM has finished the access that the last exit asked for, so a held vCPU is in a state that can be
 * saved.
 */
final class VcpuThread {
    private final int id;
    private final Vcpu vcpu;
    private final RunGate gate;
    private final IoBus ports;
    private final IoBus mmio;
    private final HypervisorExits hypervisor;
    private final ServedMsrs msrs;
    private final PartitionListener listener;
    private final ExitCounters counters = new ExitCounters();
    private final AtomicLong unknownMsrs = new AtomicLong();
    private final SlowExit slow = new SlowExit();
    private ExitReason last = ExitReason.OTHER; // the thread's
    private final Thread thread;

    /** What the partition does with exits that are no device's. */
    interface HypervisorExits {
        void synicWritten(int vcpu, long control, long eventPage, long messagePage);

        long hypercall(long input, long in, long out);

        /** What goes on to stop a vCPU if the exception is the guest's own; null if the vCPU shall be held. */
        @Nullable
        GuestDebug debugged(int vcpu, Exit.Debug exit);

        /** The address of the debugger's breakpoint that makes this output, if one does. */
        OptionalLong breakpoint(long rip);

        /** The vCPU is at that address, and will be held. */
        void stoppedAtBreakpoint(int vcpu);
    }

    VcpuThread(
            String machine,
            int id,
            Vcpu vcpu,
            RunGate gate,
            IoBus ports,
            IoBus mmio,
            HypervisorExits hypervisor,
            ServedMsrs msrs,
            PartitionListener listener) {
        this.id = id;
        this.vcpu = vcpu;
        this.gate = gate;
        this.ports = ports;
        this.mmio = mmio;
        this.hypervisor = hypervisor;
        this.msrs = msrs;
        this.listener = listener;
        slow.machine = machine;
        slow.vcpu = id;
        this.thread = Thread.ofPlatform().daemon().name(machine + " vcpu" + id).unstarted(this::loop);
    }

    Vcpu vcpu() {
        return vcpu;
    }

    Thread thread() {
        return thread;
    }

    ExitCounters counters() {
        return counters;
    }

    long unknownMsrs() {
        return unknownMsrs.get();
    }

    void start() {
        thread.start();
    }

    /** Makes KVM_RUN return soon, from any thread. */
    void kick() {
        vcpu.interrupt();
    }

    private void loop() {
        try {
            listener.vcpuStarted(id, HostThread.current());
            while (gate.pass(id)) {
                while (serveTimed(vcpu.run())) {
                    // in the guest again
                }
            }
        } catch (HypervisorException e) {
            listener.failed(id, e);
        } catch (InternalError e) {
            listener.failed(id, KvmException.memoryLost("a device of vCPU " + id, e));
        } catch (Throwable t) {
            listener.failed(id, new HypervisorException("internal", "vCPU " + id + " failed: " + t, null, 0, null, t));
        }
    }

    /** As {@link #serve}; times it only for a recording that wants slow exits. */
    private boolean serveTimed(Exit exit) {
        if (!slow.isEnabled()) {
            return serve(exit);
        }
        slow.begin();
        boolean goOn = serve(exit);
        slow.end();
        if (slow.shouldCommit()) {
            record(exit);
        }
        return goOn;
    }

    /** Its view still shows where the exit was: nothing runs in between. */
    private void record(Exit exit) {
        slow.reason = last.name();
        switch (exit) {
            case Exit.IoOut out -> accessed(ports, out.port());
            case Exit.IoIn in -> accessed(ports, in.port());
            case Exit.MmioWrite write -> accessed(mmio, write.address());
            case Exit.MmioRead read -> accessed(mmio, read.address());
            default -> {
                slow.device = "";
                slow.address = -1;
            }
        }
        slow.commit();
    }

    private void accessed(IoBus bus, long address) {
        slow.device = bus.deviceAt(address);
        slow.address = address;
    }

    /** Serves one exit; false if the vCPU is to look at the gate before it goes on. */
    private boolean serve(Exit exit) {
        switch (exit) {
            case Exit.IoOut out -> {
                count(ExitReason.IO_OUT);
                if (out.port() == GdbTarget.TRAP_PORT && isBreakpoint()) {
                    return false;
                }
                for (int i = 0; i < out.count(); i++) {
                    ports.write(out.port(), out.size(), out.value(i));
                }
            }
            case Exit.IoIn in -> {
                count(ExitReason.IO_IN);
                for (int i = 0; i < in.count(); i++) {
                    in.set(i, ports.read(in.port(), in.size()));
                }
            }
            case Exit.MmioWrite write -> {
                count(ExitReason.MMIO_WRITE);
                mmio.write(write.address(), write.length(), write.value());
            }
            case Exit.MmioRead read -> {
                count(ExitReason.MMIO_READ);
                read.set(mmio.read(read.address(), read.length()));
            }
            case Exit.Interrupted _ -> {
                count(ExitReason.INTERRUPTED);
                return gate.mayRun(id);
            }
            case Exit.HypervSynic synic -> {
                count(ExitReason.HYPERV_SYNIC);
                hypervisor.synicWritten(id, synic.control(), synic.eventPage(), synic.messagePage());
            }
            case Exit.HypervHypercall call -> {
                count(ExitReason.HYPERV_HYPERCALL);
                call.setResult(hypervisor.hypercall(call.input(), call.parameter(0), call.parameter(1)));
            }
            case Exit.RdMsr msr -> {
                count(ExitReason.MSR_READ);
                if (!msrs.read(vcpu, msr)) {
                    unknownMsrs.incrementAndGet();
                }
            }
            case Exit.WrMsr msr -> {
                count(ExitReason.MSR_WRITE);
                if (!msrs.write(id, vcpu, msr)) {
                    unknownMsrs.incrementAndGet();
                }
            }
            case Exit.SystemEvent event -> {
                count(ExitReason.SYSTEM_EVENT);
                systemEvent(event);
            }
            case Exit.Debug debug -> {
                count(ExitReason.DEBUG);
                GuestDebug goOn = hypervisor.debugged(id, debug);
                if (goOn == null) {
                    return false;
                }
                vcpu.state().returnDebugException(goOn, debug.exception());
            }
            case Exit.Shutdown _ -> {
                count(ExitReason.SHUTDOWN);
                gate.set(RunGate.Order.HOLD);
                listener.tripleFault(id, VcpuDump.of(vcpu).toString());
                return false;
            }
            default -> {
                count(ExitReason.OTHER);
                throw VcpuDump.of(vcpu).error(exit);
            }
        }
        return true;
    }

    private void count(ExitReason reason) {
        last = reason;
        counters.count(reason);
    }

    /** Whether the output is a debugger's breakpoint; then the vCPU is where it was before. */
    private boolean isBreakpoint() {
        OptionalLong at = hypervisor.breakpoint(vcpu.regs().rip());
        if (at.isEmpty()) {
            return false;
        }
        // KVM finishes an output at the next run, and sets the vCPU behind it.
        vcpu.interrupt();
        vcpu.run();
        vcpu.setRegs(vcpu.regs().rip(at.getAsLong()));
        hypervisor.stoppedAtBreakpoint(id);
        return true;
    }

    private void systemEvent(Exit.SystemEvent event) {
        if (event.type() == Exit.SystemEvent.CRASH) {
            listener.crashed(id, HyperV.crashParameters(vcpu), "");
        } else {
            throw VcpuDump.of(vcpu).error(event);
        }
    }
}
