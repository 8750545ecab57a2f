package io.javisor.partition.synic;

import io.javisor.partition.reactor.Reactor;

/**
 * The synthetic interrupt controllers of one machine. Safe from any thread; no call blocks. Numbers of vCPUs, SINTs, flags
 * and connections are the caller's duty: a wrong one is an IllegalArgumentException, so check what came from the guest.
 */
public interface SynIc {
    /** Interrupt sources of a vCPU (HV_SYNIC_SINT_COUNT). */
    int SINTS = 16;

    /** Payload bytes of a message at most (HV_MESSAGE_PAYLOAD_BYTE_COUNT). */
    int MAX_PAYLOAD = 240;

    /** Event flags of a SINT (HV_EVENT_FLAGS_COUNT). */
    int EVENT_FLAGS = 2048;

    /** A connection ID has 24 bits (TLFS 11.9: ConnectionId.Id). */
    int MAX_CONNECTION_ID = 0xFF_FFFF;

    /** vCPUs of the machine, whose VP indices are 0 to one less. */
    int vcpuCount();

    /**
     * The partition's reference time in units of 100 ns: the HV_X64_MSR_TIME_REF_COUNT that the guest reads, which stands
     * still while the machine is paused.
     */
    long referenceTime();

    /**
     * Tries to put a message into a slot: payload first, type last; then raises the SINT. If the slot is taken, marks it with
     * MessagePending so that the guest will write EOM, and looks once more.
     *
     * @param vp VP index
     * @param sint 0 to 15
     * @param type HV_MESSAGE_TYPE, not 0
     * @param payload at most {@value #MAX_PAYLOAD} bytes; copied before the call returns
     */
    Posted post(int vp, int sint, int type, byte[] payload);

    /**
     * Asks for one call when {@link #post} to a slot is worth another try: the slot was freed (EOM), or the guest turned its
     * SynIC on. If that is so already, the call comes soon too, so that nothing is missed between a refused post and this. May
     * come without reason. At most one request a slot is remembered: a later one takes the earlier's place. The backend
     * listens to the resample irqfd of the slot only while a request is open.
     *
     * @param vp VP index
     * @param sint 0 to 15
     * @param reactor on whose thread it is called
     * @param ready called once
     */
    void whenSlotFree(int vp, int sint, Reactor reactor, Runnable ready);

    /**
     * Sets an event flag with an atomic OR and raises the SINT if the flag was not set before. Allocates nothing.
     *
     * @param vp VP index
     * @param sint 0 to 15
     * @param flag 0 to 2047
     * @return false if the guest has not turned this vCPU's SynIC or its event page on; then nothing was done
     */
    boolean setEventFlag(int vp, int sint, int flag);

    /**
     * Opens a connection ID for signals of the guest. Signals that come in quick succession may be told as one, and one may
     * be told without reason; none is lost. Calls for one doorbell never overlap. Where the kernel can, a signal costs no
     * exit to userspace (KVM_HYPERV_EVENTFD).
     *
     * @param connectionId 0 to {@value #MAX_CONNECTION_ID}, not open already
     * @param reactor on whose thread {@code rung} is called
     * @param rung short, does not block
     */
    Doorbell openDoorbell(int connectionId, Reactor reactor, Runnable rung);

    /**
     * Sets who takes the guest's messages, in place of any earlier. Before the first, the guest gets
     * {@link HvStatus#INVALID_CONNECTION_ID}.
     */
    void setMessagePort(MessagePort port);

    /** What became of a message. */
    enum Posted {
        /** It is in its slot. */
        DELIVERED,
        /** The slot holds an earlier message. */
        SLOT_BUSY,
        /** The guest has not turned this vCPU's SynIC, its message page or the SINT on. */
        NOT_ENABLED
    }
}
