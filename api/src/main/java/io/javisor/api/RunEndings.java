package io.javisor.api;

import io.javisor.kvm.partition.PartitionListener;
import io.javisor.linux.HostThread;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.PowerPort;
import org.jspecify.annotations.Nullable;

/** Turns what the guest does to its power, and how vCPUs fail, into the run's outcome: what the first that noticed says. */
final class RunEndings implements PowerPort, PartitionListener {
    private final Hardware.RunListener listener;
    private final GuestRam ram;
    private volatile @Nullable Hardware run;
    private volatile @Nullable Outcome end;

    RunEndings(Hardware.RunListener listener, GuestRam ram) {
        this.listener = listener;
        this.ram = ram;
    }

    /** Says whose endings they are; before its vCPUs run. */
    void of(Hardware hardware) {
        run = hardware;
    }

    /** How the run ended, though it may not be torn down yet; null while it goes on. */
    @Nullable
    Outcome end() {
        return end;
    }

    @Override
    public void powerOff() {
        tell(new Outcome.PoweredOff());
    }

    @Override
    public void reset() {
        tell(new Outcome.Reset());
    }

    @Override
    public void tripleFault(int vcpu, String registers) {
        tell(new Outcome.TripleFault(vcpu, registers));
    }

    @Override
    public void crashed(int vcpu, long[] parameters, String message) {
        Hardware of = run;
        if (of != null) {
            listener.crashed(of, parameters, message);
        }
    }

    @Override
    public void failed(int vcpu, HypervisorException error) {
        tell(new Outcome.Failed(error));
    }

    @Override
    public void vcpuStarted(int vcpu, HostThread thread) {
        ram.vcpuStarted(vcpu, thread);
    }

    @Override
    public void vcpuStopped(int vcpu) {
        ram.vcpuStopped(vcpu);
    }

    private void tell(Outcome how) {
        synchronized (this) {
            if (end == null) {
                end = how;
            }
        }
        Hardware of = run;
        if (of != null) {
            of.partition().stopSoon();
            listener.ended(of, how);
        }
    }
}
