package io.javisor.vmbus.channel;

import io.javisor.partition.reactor.Reactor;
import io.javisor.vmbus.protocol.Octets;
import io.javisor.vmbus.protocol.VmBusVersion;
import java.lang.foreign.MemorySegment;

/** One open channel, as its device uses it. Calls belong on {@link #reactor()}, unless they say otherwise. */
public interface Channel {
    /** The thread that owns the channel. From any thread. */
    Reactor reactor();

    /** The agreed version of the bus protocol. From any thread. */
    VmBusVersion version();

    /** 0 for the primary channel, else the sub-channel's number. From any thread. */
    int subChannelIndex();

    /** VP index that is interrupted for this channel; the guest may move it. From any thread. */
    int targetVp();

    /** 120 bytes that the guest's driver gave when it opened the channel. From any thread. */
    Octets userData();

    /** Whether the guest has not closed it yet. */
    boolean isOpen();

    /** Whether the machine is being saved or stands still: nothing is read, and nothing can be sent. From any thread. */
    boolean isPaused();

    /**
     * Sends an in-band packet. The guest is signalled once for all packets of a batch.
     *
     * @param transactionId what the guest's completion will name
     * @param completionRequested whether the guest shall answer with a completion packet
     * @param payload copied before this returns
     * @return false if there is no room now: {@link ChannelHandler#writable} will be called when there is
     * @throws IllegalArgumentException if it is larger than the ring could ever take
     */
    boolean send(long transactionId, boolean completionRequested, MemorySegment payload);

    /**
     * Sends a packet that names parts of a set of pages the guest has lent by GPADL (VM_PKT_DATA_USING_XFER_PAGES).
     *
     * @param transactionId what the guest's completion will name
     * @param pageSet ID of the set, as the guest and the device agreed, 0 to 65,535
     * @param ranges pairs of byte count and byte offset
     * @param count number of pairs
     * @param payload copied before this returns
     * @return false if there is no room now
     */
    boolean sendTransferPages(long transactionId, int pageSet, int[] ranges, int count, MemorySegment payload);

    /** Bytes that a payload of {@link #send} may have at most, were the ring empty. */
    int maxPayload();

    /** Whether the guest has read all that was sent. */
    boolean isDrained();

    /**
     * Memory that the guest lent for this channel; all its ranges, one after the other.
     *
     * @param gpadl its handle, as a packet gave it
     * @return good until {@link ChannelHandler#gpadlReleased} or {@link ChannelHandler#closed}
     * @throws ChannelRefusedException if the guest has lent no such memory
     */
    GuestBuffer gpadl(int gpadl);

    /**
     * Offers sub-channels 1 to {@code count}, those that are not there yet; the guest opens each when it likes. Of the primary
     * channel only. They go when it closes. Fewer come if the bus runs out of channel IDs.
     */
    void offerSubChannels(int count);

    /**
     * Closes the channel because the guest broke its protocol. It stays closed until the guest opens it anew.
     *
     * @param reason for the host's log, with the values
     */
    void fail(String reason);
}
