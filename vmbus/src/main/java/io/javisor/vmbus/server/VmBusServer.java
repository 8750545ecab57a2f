package io.javisor.vmbus.server;

import io.javisor.partition.GuestAddressException;
import io.javisor.partition.GuestMemory;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.vmbus.channel.ChannelOffer;
import io.javisor.vmbus.protocol.GuestMessage;
import io.javisor.vmbus.protocol.HostMessage;
import io.javisor.vmbus.protocol.VmBusVersion;
import io.javisor.vmbus.ring.PageRuns;
import java.util.List;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The bus's state machine. Belongs to one thread. Any message may come at any time: one that makes no sense now is ignored
 * or refused, never an exception, and what it can make us keep is bounded (see {@link GpadlTable} and {@link #MAX_CHANNELS}).
 */
public final class VmBusServer {
    /** Channel IDs are event flags 1 to 2,047 of SINT 2. */
    public static final int MAX_CHANNELS = 2_047;

    /** The SINT of the bus's messages and interrupts (VMBUS_MESSAGE_SINT). */
    public static final int SINT = 2;

    /** Where guests post messages before version 5.0 (VMBUS_MESSAGE_CONNECTION_ID). */
    public static final int CONNECTION_ID = 1;

    /** Where newer guests post INITIATE_CONTACT, and where we tell them to go on (VMBUS_MESSAGE_CONNECTION_ID_4). */
    public static final int CONNECTION_ID_5 = 4;

    private enum Link {
        DISCONNECTED,
        CONNECTED,
        DISCONNECTING
    }

    private final GuestMemory memory;
    private final int vcpus;
    private final Consumer<Action> out;
    private final TreeMap<Integer, ServerChannel> channels = new TreeMap<>(); // by ID, so offers keep their order
    private final GpadlTable gpadls = new GpadlTable();
    private Link link = Link.DISCONNECTED;
    private @Nullable VmBusVersion version;
    private @Nullable GuestMessage ending; // what ended the connection, and wants its answer
    private boolean offersRequested;
    private int messageVp;

    /**
     * A bus to which nobody is connected.
     *
     * @param memory of the guest
     * @param vcpus of the machine
     * @param out gets the actions; calls back later, except that it may offer a socket for {@link Action.SocketRequested} at once
     */
    public VmBusServer(GuestMemory memory, int vcpus, Consumer<Action> out) {
        this.memory = memory;
        this.vcpus = vcpus;
        this.out = out;
    }

    /** Where the guest signals a channel. */
    public static int connectionId(int relId) {
        return ServerChannel.connectionId(relId);
    }

    /** The agreed version, or null if nobody is connected. */
    public @Nullable VmBusVersion version() {
        return link == Link.CONNECTED ? version : null;
    }

    /** Whether nothing is on its way between open and closed, so that the state can be saved. */
    public boolean isSettled() {
        return link != Link.DISCONNECTING
                && channels.values().stream()
                        .allMatch(c -> c.state == ServerChannel.State.CLOSED || c.state == ServerChannel.State.OPEN);
    }

    // What the host wants

    /**
     * Offers a channel, at once if the guest asked for offers.
     *
     * @param offer what it is
     * @param subChannelIndex 0 for a primary channel
     * @param transientOffer whether it lives no longer than the connection
     * @return its channel ID
     * @throws HypervisorException if all channel IDs are taken
     */
    public int offer(ChannelOffer offer, int subChannelIndex, boolean transientOffer) {
        int relId = 1;
        while (channels.containsKey(relId)) {
            relId++;
        }
        if (relId > MAX_CHANNELS) {
            throw new HypervisorException(
                    "vmbus-channels", "all " + MAX_CHANNELS + " channel IDs of the VMBus are taken", "close some");
        }
        ServerChannel channel = new ServerChannel(offer, subChannelIndex, relId, transientOffer);
        channels.put(relId, channel);
        if (offersRequested) {
            announce(channel);
        }
        return relId;
    }

    /** Takes an offer back: its channel closes, and its ID is free once the guest lets go. */
    public void rescind(int relId) {
        ServerChannel channel = channels.get(relId);
        if (channel == null || channel.rescinded) {
            return;
        }
        rescindSubChannels(channel);
        channel.rescinded = true;
        if (channel.offered) {
            send(new HostMessage.RescindOffer(relId));
        }
        close(channel);
        if (!channel.offered && !channel.isBusy()) {
            withdraw(channel);
        }
    }

    /** The answer to {@link Action.SocketRequested} when it is no. */
    public void refuseSocket(UUID guestEndpoint, UUID hostService) {
        if (link == Link.CONNECTED) {
            send(new HostMessage.TlConnectResult(guestEndpoint, hostService, HostMessage.CONNECTION_REFUSED));
        }
    }

    // What became of actions

    /** The answer to {@link Action.Open}: 0, or a status that says why not. */
    public void opened(int relId, int status) {
        ServerChannel channel = channels.get(relId);
        if (channel == null || channel.state != ServerChannel.State.OPENING) {
            return;
        }
        channel.state = status == HostMessage.SUCCESS ? ServerChannel.State.OPEN : ServerChannel.State.CLOSED;
        if (link == Link.CONNECTED) {
            send(new HostMessage.OpenResult(relId, channel.openId, status));
        }
        if (channel.state == ServerChannel.State.CLOSED) {
            settle(channel);
        } else if (channel.closeWhenOpen) {
            close(channel);
        } else {
            for (int id : gpadls.leaving(relId)) {
                if (id != channel.ringGpadl) {
                    out.accept(new Action.ReleaseGpadl(relId, id));
                }
            }
        }
    }

    /** The answer to {@link Action.Close}. */
    public void closed(int relId) {
        ServerChannel channel = channels.get(relId);
        if (channel == null || channel.state != ServerChannel.State.CLOSING) {
            return;
        }
        channel.state = ServerChannel.State.CLOSED;
        settle(channel);
    }

    /** The answer to {@link Action.ReleaseGpadl}. */
    public void gpadlReleased(int relId, int gpadl) {
        if (gpadls.isLeaving(relId, gpadl) && gpadls.remove(relId, gpadl)) {
            out.accept(new Action.RemoveGpadl(relId, gpadl));
            if (link == Link.CONNECTED) {
                send(new HostMessage.GpadlTorndown(gpadl));
            }
        }
    }

    // What the guest says

    /** Takes a message. */
    public void receive(GuestMessage message) {
        switch (message) {
            case GuestMessage.InitiateContact contact -> disconnect(contact);
            case GuestMessage.Unload unload -> disconnect(unload);
            default -> {
                if (link == Link.CONNECTED) {
                    receiveConnected(message);
                }
            }
        }
    }

    private void receiveConnected(GuestMessage message) {
        switch (message) {
            case GuestMessage.RequestOffers m -> requestOffers();
            case GuestMessage.OpenChannel m -> open(m);
            case GuestMessage.CloseChannel m -> {
                ServerChannel channel = channels.get(m.relId());
                if (channel != null) {
                    close(channel);
                }
            }
            case GuestMessage.GpadlHeader m -> gpadlHeader(m);
            case GuestMessage.GpadlBody m -> {
                Gpadl.Incomplete gpadl = gpadls.incomplete(m.gpadl());
                if (gpadl != null) {
                    addWords(gpadl, m.words());
                }
            }
            case GuestMessage.GpadlTeardown m -> gpadlTeardown(m);
            case GuestMessage.RelIdReleased m -> {
                ServerChannel channel = channels.get(m.relId());
                if (channel != null && channel.rescinded) {
                    channel.released = true;
                    if (!channel.isBusy()) {
                        withdraw(channel);
                    }
                }
            }
            case GuestMessage.ModifyChannel m -> modify(m);
            case GuestMessage.TlConnectRequest m -> {
                if (atLeast(VmBusVersion.V4_0)) {
                    out.accept(new Action.SocketRequested(m.guestEndpoint(), m.hostService()));
                }
            }
            case GuestMessage.InitiateContact m -> {}
            case GuestMessage.Unload m -> {}
        }
    }

    /** Whatever ends a connection ends it the same way; then comes the answer, which may be a new connection. */
    private void disconnect(GuestMessage by) {
        if (by instanceof GuestMessage.InitiateContact contact) {
            // A vCPU that doesn't exist can't be answered; the first one can.
            messageVp = Integer.compareUnsigned(contact.targetVp(), vcpus) < 0 ? contact.targetVp() : 0;
        }
        ending = by;
        link = Link.DISCONNECTING;
        offersRequested = false;
        out.accept(new Action.Reset(messageVp));
        for (ServerChannel channel : List.copyOf(channels.values())) {
            close(channel);
        }
        finishDisconnect();
    }

    private void finishDisconnect() {
        GuestMessage by = ending;
        if (link != Link.DISCONNECTING
                || by == null
                || channels.values().stream().anyMatch(ServerChannel::isBusy)) {
            return;
        }
        gpadls.clear();
        for (ServerChannel channel : List.copyOf(channels.values())) {
            channel.offered = false;
            if (channel.rescinded || channel.transientOffer) {
                withdraw(channel);
            }
        }
        ending = null;
        link = Link.DISCONNECTED;
        version = null;
        out.accept(new Action.Disconnected());
        if (by instanceof GuestMessage.InitiateContact contact) {
            contact(contact);
        } else {
            send(new HostMessage.UnloadResponse());
        }
    }

    private void contact(GuestMessage.InitiateContact contact) {
        VmBusVersion wanted = VmBusVersion.of(contact.version());
        boolean named = wanted != null && wanted.atLeast(VmBusVersion.V5_0);
        boolean supported = false;
        if (wanted != null && (!named || (contact.sint() & 0xFF) == SINT)) {
            supported = true;
            link = Link.CONNECTED;
            version = wanted;
            out.accept(new Action.Connected(wanted));
        }
        send(new HostMessage.VersionResponse(supported, named ? CONNECTION_ID_5 : contact.version()));
    }

    private void requestOffers() {
        if (!offersRequested) {
            offersRequested = true;
            for (ServerChannel channel : channels.values()) {
                if (!channel.rescinded) {
                    announce(channel);
                }
            }
        }
        send(new HostMessage.AllOffersDelivered());
    }

    private void announce(ServerChannel channel) {
        channel.offered = true;
        send(channel.message());
    }

    private void open(GuestMessage.OpenChannel m) {
        ServerChannel channel = channels.get(m.relId());
        if (channel == null || !channel.offered) {
            send(new HostMessage.OpenResult(m.relId(), m.openId(), HostMessage.INVALID_PARAMETER));
            return;
        }
        Gpadl ring = gpadls.get(m.relId(), m.ringGpadl());
        if (channel.state != ServerChannel.State.CLOSED
                || channel.rescinded
                || ring == null
                || !ring.isRing()
                || gpadls.isLeaving(m.relId(), m.ringGpadl())
                || Integer.compareUnsigned(m.targetVp(), vcpus) >= 0
                || m.downstreamPage() < 2
                || m.downstreamPage() > ring.ranges().getFirst().length() / PageRuns.PAGE - 2) {
            send(new HostMessage.OpenResult(m.relId(), m.openId(), HostMessage.INVALID_PARAMETER));
            return;
        }
        channel.state = ServerChannel.State.OPENING;
        channel.closeWhenOpen = false;
        channel.openId = m.openId();
        channel.ringGpadl = m.ringGpadl();
        channel.downstreamPage = m.downstreamPage();
        channel.targetVp = m.targetVp();
        channel.userData = m.userData();
        out.accept(
                new Action.Open(m.relId(), ring.ranges().getFirst(), m.downstreamPage(), m.targetVp(), m.userData()));
    }

    private void close(ServerChannel channel) {
        switch (channel.state) {
            case OPENING -> channel.closeWhenOpen = true;
            case OPEN -> {
                channel.state = ServerChannel.State.CLOSING;
                out.accept(new Action.Close(channel.relId));
            }
            case CLOSED, CLOSING -> {}
        }
    }

    /** A channel is closed now: what waited for it goes on. */
    private void settle(ServerChannel channel) {
        for (int id : gpadls.leaving(channel.relId)) {
            gpadlReleased(channel.relId, id);
        }
        if (link == Link.CONNECTED) {
            rescindSubChannels(channel);
        }
        if (channel.rescinded && (channel.released || !channel.offered)) {
            withdraw(channel);
        }
        finishDisconnect();
    }

    private void rescindSubChannels(ServerChannel primary) {
        if (primary.subChannelIndex == 0) {
            for (ServerChannel sub : List.copyOf(channels.values())) {
                if (sub.subChannelIndex != 0
                        && sub.offer.instance().equals(primary.offer.instance())
                        && sub.offer.interfaceType().equals(primary.offer.interfaceType())) {
                    rescind(sub.relId);
                }
            }
        }
    }

    private void withdraw(ServerChannel channel) {
        channels.remove(channel.relId);
        gpadls.clear(channel.relId);
        out.accept(new Action.Withdrawn(channel.relId));
    }

    private void gpadlHeader(GuestMessage.GpadlHeader m) {
        int total = m.rangeBytes() / 8;
        ServerChannel channel = channels.get(m.relId());
        if (channel == null || !channel.offered || gpadls.isKnown(m.relId(), m.gpadl())) {
            gpadlCreated(m.relId(), m.gpadl(), HostMessage.INVALID_PARAMETER);
        } else if (!gpadls.hasRoom(total)) {
            gpadlCreated(m.relId(), m.gpadl(), HostMessage.INSUFFICIENT_RESOURCES);
        } else {
            Gpadl.Incomplete gpadl = new Gpadl.Incomplete(m.relId(), m.gpadl(), m.rangeCount(), total);
            gpadls.begin(gpadl);
            addWords(gpadl, m.words());
        }
    }

    private void addWords(Gpadl.Incomplete incomplete, List<Long> words) {
        int status = HostMessage.SUCCESS;
        if (!incomplete.add(words)) {
            status = HostMessage.INVALID_PARAMETER;
        } else if (!incomplete.isComplete()) {
            return;
        }
        gpadls.drop(incomplete);
        if (status == HostMessage.SUCCESS) {
            try {
                Gpadl gpadl = incomplete.resolve(memory);
                gpadls.add(gpadl);
                out.accept(new Action.AddGpadl(gpadl));
            } catch (GuestAddressException | IllegalArgumentException e) {
                status = HostMessage.INVALID_PARAMETER;
            }
        }
        gpadlCreated(incomplete.relId, incomplete.id, status);
    }

    private void gpadlCreated(int relId, int gpadl, int status) {
        send(new HostMessage.GpadlCreated(relId, gpadl, status));
    }

    private void gpadlTeardown(GuestMessage.GpadlTeardown m) {
        Gpadl gpadl = gpadls.get(m.relId(), m.gpadl());
        Gpadl.Incomplete incomplete = gpadls.incomplete(m.gpadl());
        ServerChannel channel = channels.get(m.relId());
        if (gpadl == null) {
            // Unknown or unfinished: the guest waits for an answer all the same.
            if (incomplete != null && incomplete.relId == m.relId()) {
                gpadls.drop(incomplete);
            }
            send(new HostMessage.GpadlTorndown(m.gpadl()));
        } else if (gpadls.leave(m.relId(), m.gpadl())) {
            if (channel == null || !channel.isBusy()) {
                gpadlReleased(m.relId(), m.gpadl());
            } else if (channel.state == ServerChannel.State.OPEN && channel.ringGpadl != m.gpadl()) {
                out.accept(new Action.ReleaseGpadl(m.relId(), m.gpadl()));
            } // else the channel's rings or its opening need it until the channel is closed
        }
    }

    private void modify(GuestMessage.ModifyChannel m) {
        ServerChannel channel = channels.get(m.relId());
        int status = HostMessage.INVALID_PARAMETER;
        if (atLeast(VmBusVersion.V4_1)
                && channel != null
                && channel.state == ServerChannel.State.OPEN
                && Integer.compareUnsigned(m.targetVp(), vcpus) < 0) {
            channel.targetVp = m.targetVp();
            out.accept(new Action.Retarget(m.relId(), m.targetVp()));
            status = HostMessage.SUCCESS;
        }
        if (atLeast(VmBusVersion.V5_3)) {
            send(new HostMessage.ModifyChannelResponse(m.relId(), status));
        }
    }

    // Saved state

    /** Writes the state; {@link #isSettled} holds. */
    public void save(StateWriter to) {
        to.put("connected", link == Link.CONNECTED);
        to.put("version", version == null ? 0 : version.code());
        to.put("offersRequested", offersRequested);
        to.put("messageVp", messageVp);
        ServerState.save(to, channels.values(), gpadls);
    }

    /**
     * Takes a saved state over: offers of devices get back the channel IDs that they had, sub-channels come back, sockets come
     * back rescinded. Actions tell what to open and send. Primary channels have been offered before, and nobody has connected.
     */
    public void restore(StateReader from) {
        VmBusVersion saved = VmBusVersion.of((int) from.getLong("version"));
        boolean connected = from.getBoolean("connected");
        if (connected && saved == null) {
            throw new StateException("vmbus.version: " + from.getLong("version") + " is not spoken here");
        }
        offersRequested = from.getBoolean("offersRequested");
        messageVp = from.getInt("messageVp", 0, vcpus - 1);
        out.accept(new Action.Reset(messageVp));
        if (connected && saved != null) {
            link = Link.CONNECTED;
            version = saved;
            out.accept(new Action.Connected(saved));
        }
        ServerState.restore(from, channels, gpadls, memory, vcpus, out);
        for (ServerChannel channel : List.copyOf(channels.values())) {
            if (channel.ghost) {
                channel.ghost = false;
                rescind(channel.relId);
            } else if (offersRequested && !channel.offered && !channel.rescinded) {
                announce(channel); // a device that was added since
            }
        }
    }

    private boolean atLeast(VmBusVersion least) {
        return version != null && version.atLeast(least);
    }

    private void send(HostMessage message) {
        out.accept(new Action.Send(message));
    }
}
