package io.javisor.vmbus.channel;

import io.javisor.partition.state.Stateful;

/** A device on the bus, the provider's side (VSP). Its state is saved with the bus. */
public interface ChannelDevice extends Stateful {
    /** What the guest is told; always the same. */
    ChannelOffer offer();

    /**
     * Bytes of the largest packet that the guest may send, with its headers (a descriptor of 16, page lists of GPA-direct
     * packets); a larger one closes the channel. At most 524,280.
     */
    int maxPacketBytes();

    /** Packets that the device holds at most, on each channel; 1 to 65,536. */
    int maxPacketsHeld();

    /**
     * The guest opened the device's channel, or a sub-channel that the device offered.
     *
     * @return who takes its packets
     * @throws ChannelRefusedException if the guest shall be told that it can't be opened
     */
    ChannelHandler opened(Channel channel);

    /**
     * The channel was open when the machine was saved, and is again. Called after {@link #restore}; packets that were held
     * then have been completed before.
     *
     * @return who takes its packets
     */
    ChannelHandler restored(Channel channel);

    /**
     * Waits for what has to be there before the guest goes on. Called once after {@link #restore} and {@link #restored}, by who
     * restores the bus: never on a reactor, which other devices and other machines need meanwhile.
     *
     * @throws io.javisor.partition.state.StateException if it does not come
     */
    default void awaitRestored() {}
}
