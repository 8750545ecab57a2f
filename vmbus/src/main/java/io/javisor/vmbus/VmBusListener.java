package io.javisor.vmbus;

import io.javisor.vmbus.channel.ChannelOffer;
import io.javisor.vmbus.protocol.VmBusVersion;

/** Hears what happens on a bus; called on its reactors, must not block. */
public interface VmBusListener {
    /** The guest's driver connected. */
    default void connected(VmBusVersion version) {}

    /** The guest's driver went away: unloaded, or about to connect anew. */
    default void disconnected() {}

    /** The guest opened a channel. */
    default void opened(ChannelOffer offer, int subChannelIndex) {}

    /** A channel closed, and the guest has its memory back. */
    default void closed(ChannelOffer offer, int subChannelIndex) {}

    /** A channel was closed because something broke its rules; the guest may open it anew. */
    default void failed(ChannelOffer offer, int subChannelIndex, String reason) {}

    /** The guest sent a control message that can't be understood; it was ignored. */
    default void malformed(String reason) {}
}
