package io.javisor.kvm.gdb;

import io.javisor.kvm.Capability;
import io.javisor.kvm.DebugSupport;
import io.javisor.kvm.Exit;
import io.javisor.kvm.GuestDebug;
import io.javisor.kvm.Vcpu;
import io.javisor.partition.GuestMemory;
import java.util.BitSet;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** A guest that can be debugged. Its vCPUs are touched only while they are held. */
public interface GdbTarget {
    /**
     * An output to this port may be a software breakpoint: of 8 bits, on hosts whose KVM does not report INT3. PCs have nothing
     * there.
     */
    int TRAP_PORT = 0xE1;

    /** The guest's processors; to gdb thread 1 is the first. */
    List<Vcpu> vcpus();

    /** What its VM can do; values as in {@link io.javisor.kvm.KvmVm#check}. */
    int check(Capability capability);

    /** What stops a guest on this host; asked at a session's beginning, on its thread. */
    DebugSupport support();

    /** Whether vCPUs' threads tell of outputs to {@link #TRAP_PORT}. */
    default boolean tellsOutputs() {
        return false;
    }

    /** The guest's memory. */
    GuestMemory memory();

    /**
     * Takes the guest for a debugger: holds all vCPUs and returns when all are held.
     *
     * @param events hears, on vCPUs' threads, what the guest does from now on
     * @throws io.javisor.partition.HypervisorException if another debugger has it, or it has ended
     */
    void attach(Events events);

    /**
     * Lets vCPUs run. From here to the next {@link #hold} they must not be touched.
     *
     * @param who bit n for the vCPU n; the others stay held
     */
    void resume(BitSet who);

    /** Asks all vCPUs to stop, without waiting; safe from a vCPU's thread. */
    void stopSoon();

    /** Returns when all vCPUs are held. */
    void hold();

    /** Lets all vCPUs run, and hears nothing more. */
    void detach();

    /** What a guest tells its debugger. */
    interface Events {
        /**
         * A vCPU stopped by what the debugger set ({@link io.javisor.kvm.VcpuState#setGuestDebug}).
         *
         * @param exit valid during the call
         * @return null if the vCPU shall be held; else the exception is the guest's own, and this is what goes on to stop it
         */
        @Nullable
        GuestDebug stopped(int vcpu, Exit.Debug exit);

        /**
         * A vCPU writes to {@link #TRAP_PORT}.
         *
         * @param rip its instruction pointer
         * @return the address of the breakpoint that this is; nothing if it is the guest's own output
         */
        default OptionalLong output(long rip) {
            return OptionalLong.empty();
        }

        /** A vCPU is at the address that {@link #output} told, as if it had not run what is there; it shall be held. */
        default void stoppedAtOutput(int vcpu) {}

        /** The guest's run is over: nothing of it may be touched any more. */
        void ended();
    }
}
