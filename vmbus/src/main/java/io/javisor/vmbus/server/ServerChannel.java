package io.javisor.vmbus.server;

import io.javisor.vmbus.channel.ChannelOffer;
import io.javisor.vmbus.protocol.HostMessage.OfferChannel;
import io.javisor.vmbus.protocol.Octets;

/** One channel as the state machine knows it. */
final class ServerChannel {
    /** Connection IDs of channels; those of messages (1 to 4) are below. */
    static final int FIRST_CONNECTION_ID = 0x2000;

    enum State {
        CLOSED,
        OPENING,
        OPEN,
        CLOSING
    }

    final ChannelOffer offer;
    final int subChannelIndex;
    final int relId;

    /** Whether it lives no longer than the connection: sub-channels and sockets. */
    final boolean transientOffer;

    State state = State.CLOSED;

    /** The guest knows it. */
    boolean offered;

    /** Taken back; waits for the guest to let go. */
    boolean rescinded;

    /** The guest has let go, but the host has not closed yet. */
    boolean released;

    /** To be closed as soon as it is open. */
    boolean closeWhenOpen;

    /** Restored without a device behind it: the guest knows it, and must be told that it is gone. */
    boolean ghost;

    int openId;
    int ringGpadl;
    int downstreamPage;
    int targetVp;
    Octets userData = Octets.EMPTY;

    ServerChannel(ChannelOffer offer, int subChannelIndex, int relId, boolean transientOffer) {
        this.offer = offer;
        this.subChannelIndex = subChannelIndex;
        this.relId = relId;
        this.transientOffer = transientOffer;
    }

    /** Whether the host may be using its memory. */
    boolean isBusy() {
        return state != State.CLOSED;
    }

    OfferChannel message() {
        return new OfferChannel(
                offer.interfaceType(),
                offer.instance(),
                offer.flags(),
                offer.mmioMegabytes(),
                offer.userData(),
                subChannelIndex,
                relId,
                connectionId(relId));
    }

    static int connectionId(int relId) {
        return FIRST_CONNECTION_ID + relId;
    }
}
