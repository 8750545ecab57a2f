package io.javisor.vmbus.bus;

/** What a channel tells the bus; called on the channel's reactor. */
public interface ChannelEvents {
    /** The guest or its own device broke it. */
    void failed(BusChannel channel, String reason);

    /** Closing has ended: the host doesn't touch its memory any more. */
    void closed(BusChannel channel);

    /** Its device wants sub-channels. */
    void offerSubChannels(BusChannel channel, int count);
}
