package io.javisor.kvm.partition;

import io.javisor.kvm.KvmVm;
import io.javisor.linux.EventFd;
import io.javisor.partition.GuestAddressException;
import io.javisor.partition.GuestMemory;
import io.javisor.partition.reactor.Reactor;
import io.javisor.partition.synic.Doorbell;
import io.javisor.partition.synic.HvStatus;
import io.javisor.partition.synic.MessagePort;
import io.javisor.partition.synic.SynIc;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The SynICs of a partition whose timers, EOM and EOI live in the kernel (KVM_CAP_HYPERV_SYNIC2). Java keeps what the guest
 * says of its message and event pages, writes into them, and raises SINTs through irqfds; the guest's signals come back as
 * event descriptors without an exit to this process.
 */
final class KvmSynIc implements SynIc, AutoCloseable {
    /** HvCallPostMessage (TLFS appendix A). */
    private static final int POST_MESSAGE = 0x005C;

    /** HvCallSignalEvent (TLFS appendix A). */
    private static final int SIGNAL_EVENT = 0x005D;

    /** Bit 16 of the hypercall's input: parameters in registers (TLFS 3.7). */
    private static final long FAST = 1L << 16;

    /** HV_INPUT_POST_MESSAGE: connection, reserved, type, size, payload. */
    private static final int POST_HEADER = 16;

    private final KvmVm vm;
    private final GuestMemory memory;
    private final SynIcVcpu[] vcpus;
    private final Set<Integer> connections = new HashSet<>(); // guarded by itself
    private final ReferenceTime time;
    private volatile @Nullable MessagePort port;
    private volatile boolean partitionClosed;

    /** Reads the partition's reference time. */
    interface ReferenceTime {
        long now();
    }

    KvmSynIc(KvmVm vm, GuestMemory memory, SynIcVcpu[] vcpus, ReferenceTime time) {
        this.vm = vm;
        this.memory = memory;
        this.vcpus = vcpus;
        this.time = time;
    }

    @Override
    public int vcpuCount() {
        return vcpus.length;
    }

    @Override
    public long referenceTime() {
        return time.now();
    }

    @Override
    public Posted post(int vp, int sint, int type, byte[] payload) {
        if (payload.length > MAX_PAYLOAD || type == 0) {
            throw new IllegalArgumentException("message of type " + type + ", " + payload.length + " bytes");
        }
        return vcpu(vp).post(sint, type, payload);
    }

    @Override
    public void whenSlotFree(int vp, int sint, Reactor reactor, Runnable ready) {
        vcpu(vp).whenSlotFree(sint, epoll(reactor), ready);
    }

    @Override
    public boolean setEventFlag(int vp, int sint, int flag) {
        if (flag < 0 || flag >= EVENT_FLAGS) {
            throw new IllegalArgumentException("event flag " + flag);
        }
        return vcpu(vp).setEventFlag(sint, flag);
    }

    @Override
    public Doorbell openDoorbell(int connectionId, Reactor reactor, Runnable rung) {
        if (connectionId < 0 || connectionId > MAX_CONNECTION_ID) {
            throw new IllegalArgumentException("connection ID " + connectionId);
        }
        synchronized (connections) {
            if (!connections.add(connectionId)) {
                throw new IllegalArgumentException("connection ID " + connectionId + " is open already");
            }
        }
        EventFd event = new EventFd();
        EpollReactor.Watch watch = epoll(reactor).watch(event, true, false, rung);
        try {
            vm.doorbells().attachConnection(event, connectionId);
        } catch (RuntimeException e) {
            watch.close();
            event.close();
            forget(connectionId);
            throw e;
        }
        return new KernelDoorbell(connectionId, event, watch);
    }

    @Override
    public void setMessagePort(MessagePort next) {
        port = next;
    }

    /** The guest wrote SCONTROL, SIMP or SIEFP (KVM_EXIT_HYPERV_SYNIC); on the vCPU's thread. */
    void written(int vp, long control, long eventPage, long messagePage) {
        vcpus[vp].written(control, eventPage, messagePage);
    }

    /** Takes over what a vCPU's guest wrote before it was saved. */
    void restored(int vp, long control, long eventPage, long messagePage) {
        vcpus[vp].restored(control, eventPage, messagePage);
    }

    /** Makes the guest look for messages and event flags; after a restore. */
    void wake() {
        for (SynIcVcpu vcpu : vcpus) {
            vcpu.wake();
        }
    }

    /** A hypercall that the kernel does not do itself (KVM_EXIT_HYPERV_HCALL); gives its result. */
    long hypercall(long input, long parameter) {
        return switch ((int) (input & 0xFFFF)) {
            case POST_MESSAGE -> posted(input, parameter).code();
            // Signals of open connections never come here: the kernel has their event descriptors.
            case SIGNAL_EVENT -> HvStatus.INVALID_CONNECTION_ID.code();
            default -> HvStatus.INVALID_HYPERCALL_CODE.code();
        };
    }

    private HvStatus posted(long input, long gpa) {
        MessagePort to = port;
        if ((input & FAST) != 0) {
            return HvStatus.INVALID_HYPERCALL_INPUT;
        }
        if ((gpa & 7) != 0 || (gpa & 0xFFF) + POST_HEADER + MAX_PAYLOAD > 4096) {
            return HvStatus.INVALID_ALIGNMENT;
        }
        byte[] payload;
        int connection;
        int type;
        try {
            connection = memory.getInt(gpa);
            type = memory.getInt(gpa + 8);
            int size = memory.getInt(gpa + 12);
            if (size < 0 || size > MAX_PAYLOAD) {
                return HvStatus.INVALID_PARAMETER;
            }
            payload = new byte[size];
            memory.read(gpa + POST_HEADER, payload);
        } catch (GuestAddressException e) {
            return HvStatus.INVALID_PARAMETER;
        }
        return to == null ? HvStatus.INVALID_CONNECTION_ID : to.posted(connection, type, payload);
    }

    private SynIcVcpu vcpu(int vp) {
        if (vp < 0 || vp >= vcpus.length) {
            throw new IllegalArgumentException("VP index " + vp + " of " + vcpus.length);
        }
        return vcpus[vp];
    }

    private void forget(int connectionId) {
        synchronized (connections) {
            connections.remove(connectionId);
        }
    }

    private static EpollReactor epoll(Reactor reactor) {
        if (reactor instanceof EpollReactor epoll) {
            return epoll;
        }
        throw new IllegalArgumentException("signals from KVM need an EpollReactor, not " + reactor);
    }

    @Override
    public void close() {
        partitionClosed = true;
        for (SynIcVcpu vcpu : vcpus) {
            vcpu.close();
        }
    }

    /** A connection whose signals the kernel turns into those of an event descriptor. */
    private final class KernelDoorbell implements Doorbell {
        private final int connectionId;
        private final EventFd event;
        private final EpollReactor.Watch watch;
        private boolean closed; // guarded by this

        KernelDoorbell(int connectionId, EventFd event, EpollReactor.Watch watch) {
            this.connectionId = connectionId;
            this.event = event;
            this.watch = watch;
        }

        @Override
        public int connectionId() {
            return connectionId;
        }

        @Override
        public synchronized void close() {
            if (closed) {
                return;
            }
            closed = true;
            if (!partitionClosed) {
                vm.doorbells().detachConnection(event, connectionId);
            }
            watch.close();
            event.close();
            forget(connectionId);
        }
    }
}
