package io.javisor.vmbus.channel;

/** One open channel, the provider's side. Called on the channel's reactor only; must not block. */
public interface ChannelHandler {
    /**
     * A packet. It is the handler's until it is finished, now or later. If this throws, the channel is closed as by
     * {@link Channel#fail}.
     */
    void received(Packet packet);

    /** The packets that came together have been given: a good time to submit what they asked for. */
    default void batchReceived() {}

    /** There is room in the ring again after {@link Channel#send} returned false. */
    default void writable() {}

    /**
     * The guest takes back a GPADL. Buffers got from it must not be used after this returns: later its memory is something
     * else.
     */
    default void gpadlReleased(int gpadl) {}

    /**
     * The machine stands still, as to be saved: nothing can be sent. No thread may write to the guest's memory on the channel's account
     * once this has returned, but for packets that are held.
     */
    default void paused() {}

    /** The machine goes on, after {@link #paused}, or after it was restored, which begins paused. */
    default void resumed() {}

    /**
     * The channel closes, by the guest, by rescind, or by an error. No packets come any more; those still held must be finished
     * soon (their answers go nowhere), because only then does the guest get its memory back. Sends are ignored.
     */
    void closed();
}
