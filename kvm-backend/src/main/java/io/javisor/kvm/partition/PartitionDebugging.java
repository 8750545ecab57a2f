package io.javisor.kvm.partition;

import io.javisor.kvm.Capability;
import io.javisor.kvm.DebugSupport;
import io.javisor.kvm.Exit;
import io.javisor.kvm.GuestDebug;
import io.javisor.kvm.KvmVm;
import io.javisor.kvm.Vcpu;
import io.javisor.kvm.gdb.GdbTarget;
import io.javisor.partition.GuestMemory;
import io.javisor.partition.HypervisorException;
import java.util.BitSet;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A partition in a debugger's hands. While the debugger holds the vCPUs no time passes for the guest, so that its watchdogs and
 * time-outs don't see the person who thinks. The machine's owner can pause and save it all the same: who holds a vCPU does not
 * matter to either.
 */
final class PartitionDebugging implements GdbTarget {
    private final KvmPartition partition;
    private final KvmVm vm;
    private final RunGate gate;
    private volatile @Nullable Events debugger;
    private volatile boolean over;
    private @Nullable GuestTime stoodStill; // for the debugger's thread

    PartitionDebugging(KvmPartition partition, KvmVm vm, RunGate gate) {
        this.partition = partition;
        this.vm = vm;
        this.gate = gate;
    }

    @Override
    public List<Vcpu> vcpus() {
        return partition.handles();
    }

    @Override
    public int check(Capability capability) {
        return vm.check(capability);
    }

    @Override
    public DebugSupport support() {
        return DebugSupport.probe(vm.kvm());
    }

    @Override
    public boolean tellsOutputs() {
        return true;
    }

    @Override
    public GuestMemory memory() {
        return partition.memory();
    }

    @Override
    public void attach(Events events) {
        synchronized (this) {
            if (over || debugger != null) {
                throw new HypervisorException(
                        "gdb-attach", over ? "the guest has ended" : "another debugger has the guest", null);
            }
            debugger = events;
        }
        stopSoon();
        hold();
    }

    @Override
    public void resume(BitSet who) {
        GuestTime time = stoodStill;
        stoodStill = null;
        if (time != null && !over) {
            time.apply(vm, vcpus());
        }
        gate.allow(who);
    }

    @Override
    public void stopSoon() {
        gate.allow(new BitSet());
        partition.kickAll();
    }

    @Override
    public void hold() {
        stopSoon();
        partition.awaitHeld();
        if (stoodStill == null && !over) {
            stoodStill = GuestTime.read(vm, vcpus());
        }
    }

    @Override
    public void detach() {
        debugger = null;
        try {
            resume(new BitSet());
        } catch (HypervisorException | IllegalStateException e) {
            // the guest is ending, and with it its time
        }
        gate.allow(null);
    }

    /** On a vCPU's thread: what goes on to stop it if the exception is the guest's own; null if it shall be held. */
    @Nullable
    GuestDebug stopped(int vcpu, Exit.Debug exit) {
        Events events = debugger;
        return events == null ? GuestDebug.OFF : events.stopped(vcpu, exit);
    }

    /** On a vCPU's thread: the address of the breakpoint that makes this output, if one does. */
    OptionalLong output(long rip) {
        Events events = debugger;
        return events == null ? OptionalLong.empty() : events.output(rip);
    }

    /** On a vCPU's thread, which is at that address again and will be held. */
    void stoppedAtOutput(int vcpu) {
        Events events = debugger;
        if (events != null) {
            events.stoppedAtOutput(vcpu);
        }
    }

    void ended() {
        Events events;
        synchronized (this) {
            if (over) {
                return;
            }
            over = true;
            events = debugger;
        }
        if (events != null) {
            events.ended();
        }
    }
}
