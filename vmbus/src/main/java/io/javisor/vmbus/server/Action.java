package io.javisor.vmbus.server;

import io.javisor.vmbus.channel.ChannelOffer;
import io.javisor.vmbus.protocol.HostMessage;
import io.javisor.vmbus.protocol.Octets;
import io.javisor.vmbus.protocol.VmBusVersion;
import io.javisor.vmbus.ring.PageRuns;
import java.util.UUID;

/** What the state machine wants done, in the order in which it says so. */
public sealed interface Action {
    /**
     * The guest began anew: forget what was not sent yet; messages go to this vCPU from now on.
     *
     * @param vp VP index
     */
    record Reset(int vp) implements Action {}

    /**
     * The guest and we agreed.
     *
     * @param version of the protocol
     */
    record Connected(VmBusVersion version) implements Action {}

    /** Every channel has closed, and the guest has all its memory back. */
    record Disconnected() implements Action {}

    /** Send a message after those before it. */
    record Send(HostMessage message) implements Action {}

    /**
     * Open a channel, then call {@link VmBusServer#opened}.
     *
     * @param relId channel ID
     * @param ring the pages of both rings
     * @param downstreamPage the page at which the host→guest ring begins; both have at least two
     * @param targetVp VP index to interrupt
     * @param userData 120 bytes from the guest's driver
     */
    record Open(int relId, PageRuns ring, int downstreamPage, int targetVp, Octets userData) implements Action {}

    /** Close an open channel; when the host no longer touches its memory, call {@link VmBusServer#closed}. */
    record Close(int relId) implements Action {}

    /** Interrupt another vCPU for this open channel from now on. */
    record Retarget(int relId, int targetVp) implements Action {}

    /** A GPADL is complete: this channel's device may use it. */
    record AddGpadl(Gpadl gpadl) implements Action {}

    /** Take a GPADL from an open channel's device; when it is let go, call {@link VmBusServer#gpadlReleased}. */
    record ReleaseGpadl(int relId, int gpadl) implements Action {}

    /** A GPADL is gone. */
    record RemoveGpadl(int relId, int gpadl) implements Action {}

    /**
     * After a restore: an offer and its channel ID, instead of those before.
     *
     * @param relId channel ID
     * @param offer what it is
     * @param subChannelIndex 0 for a primary channel
     */
    record Offered(int relId, ChannelOffer offer, int subChannelIndex) implements Action {}

    /**
     * A channel was open when the bus was saved.
     *
     * @param open what it was opened with
     */
    record Reopen(Open open) implements Action {}

    /** The offer is gone for good, and its channel ID is free. */
    record Withdrawn(int relId) implements Action {}

    /** The guest wants to connect a socket. */
    record SocketRequested(UUID guestEndpoint, UUID hostService) implements Action {}
}
