package io.javisor.kvm;

import static io.javisor.kvm.abi.Constants.KVM_COALESCED_MMIO_PAGE_OFFSET;
import static io.javisor.kvm.abi.Constants.KVM_DIRTY_LOG_PAGE_OFFSET;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_MEMORY_FAULT;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.javisor.kvm.abi.Ioctl;
import io.javisor.kvm.abi.RunAbi;
import io.javisor.kvm.abi.VcpuAbi;
import io.javisor.linux.CallState;
import io.javisor.linux.Descriptor;
import io.javisor.linux.Errno;
import io.javisor.linux.HostThread;
import io.javisor.linux.LinuxException;
import io.javisor.linux.Mapping;
import io.javisor.linux.ThreadTimer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One vCPU. {@link #run()} is for one platform thread at a time and reads best with one thread per vCPU; {@link #interrupt()}
 * and {@link #close()} are for any thread. The rest are requests to the kernel that wait while the guest runs, so that whoever
 * wants the state of a running vCPU interrupts it first.
 *
 * <p><b>How an interrupt reaches a running guest.</b> It sets {@code immediate_exit} in the shared page, which the kernel looks
 * at before it enters the guest, and sends the running thread a real-time signal ({@link #KICK_SIGNAL}). The thread has that
 * signal blocked, except inside KVM_RUN, whose own signal mask lets it through: a signal that comes a moment too early stays
 * pending and ends the next KVM_RUN at once. No handler ever runs, since the kernel restores the mask before it returns; the
 * pending signal is taken off afterwards.
 */
public final class Vcpu implements AutoCloseable {
    /** The signal that ends a KVM_RUN: real-time, so that neither the JVM nor the C library uses it. */
    public static final int KICK_SIGNAL = HostThread.FIRST_REALTIME_SIGNAL + 6;

    private static final long IMMEDIATE_EXIT = RunAbi.at("immediate_exit");
    private static final long REQUEST_WINDOW = RunAbi.at("request_interrupt_window");
    private static final long READY_FOR_INTERRUPT = RunAbi.at("ready_for_interrupt_injection");
    private static final long KVM_RUN = Ioctl.KVM_RUN.number();
    private static final long COALESCED_AT = KVM_COALESCED_MMIO_PAGE_OFFSET * 4096L;
    private static final long DIRTY_RING_AT = KVM_DIRTY_LOG_PAGE_OFFSET * 4096L;
    private static final long CLOSE_WAIT_NANOS = 1_000_000_000L;

    // What the run loop is doing. INSIDE and later stand for a thread that can be signalled safely: it cannot leave
    // run(), and
    // so cannot end and lend its number to another thread, until KICKING is over.
    private static final int OUTSIDE = 0;
    private static final int INSIDE = 1;
    private static final int KICKING = 2;
    private static final int KICKED = 3;
    // A thread is making itself the one that runs this vCPU.
    private static final int ATTACHING = 4;
    private static final VarHandle PHASE;

    static {
        try {
            PHASE = MethodHandles.lookup().findVarHandle(Vcpu.class, "phase", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final int id;
    private final KvmVm vm;
    private final KvmDescriptor fd;
    private final Descriptor raw;
    private final MemorySegment run;
    private final Exits exits;
    private final VcpuState state;

    @SuppressWarnings("UnusedVariable") // by PHASE
    private volatile int phase = OUTSIDE;

    private volatile boolean closed;
    // The thread that ran it last, written under ATTACHING and read under INSIDE, which order them.
    private @Nullable Thread runner;
    private @Nullable HostThread runnerHost;
    private @Nullable CallState runnerState;
    private @Nullable ThreadTimer runnerTimer;
    private final @Nullable DirtyRing dirtyRing;

    Vcpu(KvmVm vm, int id, KvmDescriptor fd, int runSize) {
        this.id = id;
        this.fd = fd;
        this.raw = fd.raw();
        this.run = vm.mappings().map(raw, 0, runSize, Mapping.Access.SHARED);
        this.exits = new Exits(run);
        this.state = new VcpuState(vm, fd);
        this.dirtyRing = mapDirtyRing(vm);
        this.vm = vm;
    }

    private @Nullable DirtyRing mapDirtyRing(KvmVm vm) {
        long bytes = vm.dirtyRingBytes();
        return bytes == 0 ? null : new DirtyRing(vm.mappings().map(raw, DIRTY_RING_AT, bytes, Mapping.Access.SHARED));
    }

    /** Its ID, which is also its initial APIC ID. */
    public int id() {
        return id;
    }

    /**
     * Runs the guest until it needs something. Allocates nothing. The thread has {@link #KICK_SIGNAL} blocked from its first
     * run on.
     *
     * @return why it stopped; valid until the next run
     * @throws KvmException if KVM refuses to run it
     * @throws IllegalStateException if the vCPU is closed, is running already, or this is a virtual thread
     */
    public Exit run() {
        CallState calls = runnerState;
        if (calls == null || !isRunner()) {
            calls = attach();
        }
        for (; ; ) {
            int result = enter(calls);
            if (result >= 0) {
                return exits.current();
            }
            Exit exit = refused(-result);
            if (exit != null) {
                return exit;
            }
        }
    }

    /**
     * Runs the guest until it needs something, but not for longer than given. Allocates nothing but on a thread's first call.
     *
     * @param nanos how long, from 1; measured in the host's time, so also while a guest waits for an interrupt
     * @return why it stopped: {@link Exit.Interrupted} if the time is over
     */
    public Exit run(long nanos) {
        if (nanos < 1) {
            throw new IllegalArgumentException("run for " + nanos + " ns");
        }
        CallState calls = runnerState;
        if (calls == null || !isRunner()) {
            calls = attach();
        }
        ThreadTimer timer = runnerTimer;
        if (timer == null) {
            timer = new ThreadTimer(KICK_SIGNAL);
            runnerTimer = timer;
        }
        long deadline = System.nanoTime() + nanos;
        timer.arm(nanos);
        try {
            for (; ; ) {
                int result = enter(calls);
                if (result >= 0) {
                    return exits.current();
                }
                Exit exit = refused(-result);
                if (exit != null) {
                    return exit;
                }
                if (System.nanoTime() - deadline >= 0) {
                    return exits.interrupted;
                }
            }
        } finally {
            timer.arm(0);
        }
    }

    @SuppressWarnings("ReferenceEquality") // a thread is itself
    private boolean isRunner() {
        return Thread.currentThread() == runner;
    }

    private int enter(CallState calls) {
        if (!PHASE.compareAndSet(this, OUTSIDE, INSIDE)) {
            throw new IllegalStateException("vCPU " + id + " is running already");
        }
        try {
            // After INSIDE: a close that does not see it is seen here.
            if (closed) {
                throw new IllegalStateException("vCPU " + id + " is closed");
            }
            if (!isRunner()) {
                throw new IllegalStateException("vCPU " + id + " is run by two threads");
            }
            return raw.tryIoctl(calls, KVM_RUN, 0);
        } finally {
            if (!PHASE.compareAndSet(this, INSIDE, OUTSIDE)) {
                leaveKicked();
            }
        }
    }

    private void leaveKicked() {
        // Somebody is between two instructions of kick(), unless the host holds that thread back.
        for (int spins = 0; (int) PHASE.getAcquire(this) == KICKING; spins++) {
            if (spins < 100) {
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(10_000);
            }
        }
        HostThread.takePending(KICK_SIGNAL);
        PHASE.setVolatile(this, OUTSIDE);
    }

    /** What a negative result of KVM_RUN means; null to run again. */
    private @Nullable Exit refused(int errno) {
        // EAGAIN: a vCPU that waited for its start-up IPI was woken.
        if (errno == Errno.EINTR || errno == Errno.EAGAIN) {
            if (run.get(JAVA_BYTE, IMMEDIATE_EXIT) == 0) {
                // A timer's signal, which would end every run from now on, or one of the JVM's, which is handled.
                HostThread.takePending(KICK_SIGNAL);
                return null;
            }
            run.set(JAVA_BYTE, IMMEDIATE_EXIT, (byte) 0);
            return exits.interrupted;
        }
        if (errno == Errno.EFAULT) {
            if (exits.reason() == KVM_EXIT_MEMORY_FAULT) {
                return exits.memoryFault;
            }
            throw new KvmException(
                    "kvm-guest-memory",
                    "KVM_RUN(vCPU " + id + "): EFAULT: the guest touched a memory slot whose host memory is gone or "
                            + "could not be had",
                    "KVM_RUN",
                    errno,
                    "keep the memory of a slot mapped until the slot is removed, and the host from running short",
                    null);
        }
        throw KvmException.of(new LinuxException("KVM_RUN", "vCPU " + id, errno));
    }

    private CallState attach() {
        HostThread host = HostThread.current();
        if (!PHASE.compareAndSet(this, OUTSIDE, ATTACHING)) {
            throw new IllegalStateException("vCPU " + id + " is running already");
        }
        try {
            setSignalMask();
            ThreadTimer timer = runnerTimer;
            if (timer != null) {
                timer.close();
                runnerTimer = null;
            }
            CallState calls = CallState.current();
            runnerHost = host;
            runnerState = calls;
            runner = Thread.currentThread();
            return calls;
        } finally {
            PHASE.setVolatile(this, OUTSIDE);
        }
    }

    private void setSignalMask() {
        HostThread.block(KICK_SIGNAL);
        try (Arena arena = Arena.ofConfined()) {
            // KVM reads the kernel's 8-byte signal set after the length.
            MemorySegment mask = arena.allocate(VcpuAbi.SIGNAL_MASK.byteSize() + 8, 8);
            mask.set(JAVA_INT, 0, 8);
            mask.set(
                    JAVA_LONG_UNALIGNED,
                    VcpuAbi.SIGNAL_MASK.byteSize(),
                    HostThread.blocked() & ~(1L << (KICK_SIGNAL - 1)));
            fd.call(Ioctl.KVM_SET_SIGNAL_MASK, mask);
        }
    }

    /**
     * Makes the current run, or else the next one, return {@link Exit.Interrupted}; from any thread, at once. Interrupts that
     * come before a run has returned one count as one. Does nothing on a closed vCPU.
     */
    public void interrupt() {
        if (!closed) {
            stop();
        }
    }

    private void stop() {
        try {
            run.set(JAVA_BYTE, IMMEDIATE_EXIT, (byte) 1);
        } catch (IllegalStateException e) {
            if (closed) {
                // Closed since: nothing runs.
                return;
            }
            throw e;
        }
        kick();
    }

    private void kick() {
        // The exchange is a full fence: either the run loop sees immediate_exit, or we see it INSIDE.
        if ((int) PHASE.compareAndExchange(this, INSIDE, KICKING) != INSIDE) {
            return;
        }
        try {
            HostThread host = runnerHost;
            if (host != null) {
                host.signal(KICK_SIGNAL);
            }
        } finally {
            PHASE.setRelease(this, KICKED);
        }
    }

    /** Asks for {@link Exit.IrqWindow} when the guest can take an interrupt; only without in-kernel local APICs. */
    public void requestInterruptWindow(boolean wanted) {
        run.set(JAVA_BYTE, REQUEST_WINDOW, (byte) (wanted ? 1 : 0));
    }

    /** Whether the guest could take an interrupt when it last stopped. */
    public boolean readyForInterrupt() {
        return run.get(JAVA_BYTE, READY_FOR_INTERRUPT) != 0;
    }

    /** All groups of its state, and requests about them. */
    public VcpuState state() {
        return state;
    }

    /** General registers. */
    public Regs regs() {
        return state.regs();
    }

    /** Sets the general registers. */
    public void setRegs(Regs regs) {
        state.setRegs(regs);
    }

    /** Segment and control registers. */
    public Sregs sregs() {
        return state.sregs();
    }

    /** Sets the segment and control registers. */
    public void setSregs(Sregs sregs) {
        state.setSregs(sregs);
    }

    /** Sets the CPUID leaves that the guest sees; before its first run. */
    public void setCpuid(List<CpuidEntry> entries) {
        state.setCpuid(entries);
    }

    /**
     * Reads MSRs.
     *
     * @throws KvmException {@code kvm-msr} for the first that KVM does not read
     */
    public List<Msr> msrs(int... indices) {
        return state.msrs(indices);
    }

    /**
     * Writes MSRs, in order.
     *
     * @throws KvmException {@code kvm-msr} for the first that KVM refuses
     */
    public void setMsrs(List<Msr> msrs) {
        state.setMsrs(msrs);
    }

    /**
     * Turns a capability of the vCPU on (KVM_ENABLE_CAP): {@link Capability#HYPERV_SYNIC2} before the VM's routes to it.
     *
     * @param args up to four, as Documentation/virt/kvm/api.rst says for the capability
     */
    public void enable(Capability capability, long... args) {
        KvmVm.enable(fd, capability, args);
    }

    /** The VM's collected writes ({@link VmDoorbells#coalesce}). */
    public CoalescedWrites coalescedWrites() {
        return new CoalescedWrites(run.asSlice(COALESCED_AT, 4096));
    }

    /**
     * The pages that this vCPU has written.
     *
     * @throws IllegalStateException if rings were not enabled before the vCPU was made
     */
    public DirtyRing dirtyRing() {
        if (dirtyRing == null) {
            throw new IllegalStateException(
                    "the VM has no dirty rings: call dirtyLog().enableRing() before createVcpu()");
        }
        return dirtyRing;
    }

    /** The kernel's statistics of this vCPU; open them before its first run, since opening waits for a running guest. */
    public KvmStats openStats() {
        return KvmStats.of(
                fd.open(Ioctl.KVM_GET_STATS_FD, 0, "KVM vCPU statistics").raw());
    }

    /** Its registers, for messages. */
    public VcpuDump dump() {
        return VcpuDump.of(this);
    }

    /**
     * Interrupts the guest, waits until its run has returned, and gives the vCPU back. Idempotent. The VM keeps the vCPU's ID
     * taken for its life, and its page mapped.
     */
    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        stop();
        long deadline = System.nanoTime() + CLOSE_WAIT_NANOS;
        while ((int) PHASE.getVolatile(this) != OUTSIDE && !isRunner() && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(50_000);
        }
        fd.close();
        ThreadTimer timer = runnerTimer;
        if (timer != null) {
            timer.close();
        }
        vm.vcpuClosed();
    }
}
