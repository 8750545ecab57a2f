package io.javisor.vmbus.bus;

import io.javisor.partition.GuestMemory;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.reactor.Reactor;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.partition.synic.SynIc;
import io.javisor.vmbus.SocketConnector;
import io.javisor.vmbus.VmBusListener;
import io.javisor.vmbus.channel.ChannelDevice;
import io.javisor.vmbus.channel.ChannelOffer;
import io.javisor.vmbus.channel.ChannelTraffic;
import io.javisor.vmbus.protocol.GuestMessage;
import io.javisor.vmbus.protocol.HostMessage;
import io.javisor.vmbus.protocol.MalformedMessageException;
import io.javisor.vmbus.protocol.VmBusVersion;
import io.javisor.vmbus.server.Action;
import io.javisor.vmbus.server.Gpadl;
import io.javisor.vmbus.server.VmBusServer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Carries out what the state machine wants. Belongs to the bus's reactor, except where it says otherwise. */
public final class BusControl implements ChannelEvents {
    /** A task for another reactor. */
    public record Hop(Reactor reactor, Runnable task) {}

    /** One channel ID in use. */
    private static final class Place {
        final ChannelOffer offer;
        final int subChannelIndex;
        final @Nullable ChannelDevice device; // null: restored, but its device is gone
        final Reactor reactor;
        final boolean brief;
        final Map<Integer, Gpadl> gpadls = new ConcurrentHashMap<>();

        @Nullable
        BusChannel channel;

        Place(ChannelOffer offer, int subChannelIndex, @Nullable ChannelDevice device, Reactor reactor, boolean brief) {
            this.offer = offer;
            this.subChannelIndex = subChannelIndex;
            this.device = device;
            this.reactor = reactor;
            this.brief = brief;
        }

        /** Sub-channels live as briefly, but they are saved. */
        boolean isSocket() {
            return brief && subChannelIndex == 0;
        }
    }

    private final GuestMemory memory;
    private final SynIc synIc;
    private final List<Reactor> reactors;
    private final Reactor reactor;
    private final VmBusListener listener;
    private final MessageQueues messages;
    private final VmBusServer server;
    private final TreeMap<Integer, Place> places = new TreeMap<>();
    private final Map<ChannelDevice, Integer> devices = new HashMap<>(); // to primary channel IDs
    private final BusTraffic traffic = new BusTraffic();
    private @Nullable SocketConnector connector;
    private volatile @Nullable VmBusVersion version; // written on our reactor only
    private volatile boolean paused; // read on the channels' reactors when a channel opens
    private @Nullable Runnable whenQuiet;
    private int notQuiet;
    private int pauses;
    private boolean closing;
    private @Nullable Runnable whenClosed;
    private @Nullable StateReader restoring;
    private final List<Hop> hops = new ArrayList<>(); // of a restore

    /** See {@link io.javisor.vmbus.VmBus}. */
    public BusControl(GuestMemory memory, SynIc synIc, List<Reactor> reactors, VmBusListener listener) {
        this.memory = memory;
        this.synIc = synIc;
        this.reactors = reactors;
        this.listener = listener;
        reactor = reactors.getFirst();
        messages = new MessageQueues(synIc, reactor, this::receive);
        server = new VmBusServer(memory, synIc.vcpuCount(), this::act);
    }

    /** Where the guest's messages go; from any thread. */
    public MessageQueues messages() {
        return messages;
    }

    /** The agreed version, or null; from any thread. */
    public @Nullable VmBusVersion version() {
        return version;
    }

    /** See {@link io.javisor.vmbus.VmBus#traffic}; from any thread. */
    public Map<String, ChannelTraffic> traffic() {
        return traffic.now();
    }

    /** See {@link io.javisor.vmbus.VmBus#setSocketConnector}. */
    public void setSocketConnector(SocketConnector newConnector) {
        connector = newConnector;
    }

    /** Offers a device. */
    public void add(ChannelDevice device, boolean brief) {
        ChannelOffer offer = device.offer();
        for (Place place : places.values()) {
            if (place.subChannelIndex == 0
                    && place.offer.interfaceType().equals(offer.interfaceType())
                    && place.offer.instance().equals(offer.instance())) {
                throw new HypervisorException(
                        "vmbus-duplicate",
                        "an offer of kind " + offer.interfaceType() + " and instance " + offer.instance() + " is there",
                        "give every device an instance ID of its own");
            }
        }
        devices.put(device, offer(device, offer, 0, brief));
    }

    private int offer(ChannelDevice device, ChannelOffer offer, int subChannelIndex, boolean brief) {
        int relId = server.offer(offer, subChannelIndex, brief);
        places.put(relId, new Place(offer, subChannelIndex, device, reactorOf(relId), brief));
        return relId;
    }

    private Reactor reactorOf(int relId) {
        return reactors.get(relId % reactors.size());
    }

    /** Takes a device's offer back. */
    public void remove(ChannelDevice device) {
        Integer relId = devices.get(device);
        if (relId != null) {
            server.rescind(relId);
        }
    }

    private void receive(byte[] message) {
        GuestMessage decoded;
        try {
            decoded = GuestMessage.decode(message);
        } catch (MalformedMessageException e) {
            listener.malformed(String.valueOf(e.getMessage()));
            return;
        }
        server.receive(decoded);
    }

    private void act(Action action) {
        switch (action) {
            case Action.Send a -> messages.send(a.message().encode());
            case Action.Reset a -> messages.reset(a.vp());
            case Action.Connected a -> {
                version = a.version();
                listener.connected(a.version());
            }
            case Action.Disconnected a -> {
                places.values().forEach(place -> place.gpadls.clear());
                if (version != null) {
                    version = null;
                    listener.disconnected();
                }
            }
            case Action.Open a -> open(a);
            case Action.Reopen a -> reopen(a.open());
            case Action.Offered a -> {
                ChannelDevice device = deviceOf(a.offer());
                places.put(a.relId(), new Place(a.offer(), a.subChannelIndex(), device, reactorOf(a.relId()), false));
                if (device != null && a.subChannelIndex() == 0) {
                    devices.put(device, a.relId());
                }
            }
            case Action.Close a -> {
                BusChannel channel = place(a.relId()).channel;
                if (channel != null) {
                    channel.reactor().execute(channel::close);
                }
            }
            case Action.Retarget a -> {
                BusChannel channel = place(a.relId()).channel;
                if (channel != null) {
                    channel.retarget(a.targetVp());
                }
            }
            case Action.AddGpadl a ->
                place(a.gpadl().relId()).gpadls.put(a.gpadl().id(), a.gpadl());
            case Action.RemoveGpadl a -> place(a.relId()).gpadls.remove(a.gpadl());
            case Action.ReleaseGpadl a -> {
                BusChannel channel = place(a.relId()).channel;
                if (channel != null) {
                    channel.reactor().execute(() -> {
                        channel.releaseGpadl(a.gpadl());
                        reactor.execute(() -> server.gpadlReleased(a.relId(), a.gpadl()));
                    });
                }
            }
            case Action.Withdrawn a -> {
                Place place = places.remove(a.relId());
                if (place != null && place.subChannelIndex == 0 && place.device != null) {
                    devices.remove(place.device, a.relId());
                }
            }
            case Action.SocketRequested a -> {
                SocketConnector to = connector;
                if (to == null || !to.requested(a.guestEndpoint(), a.hostService())) {
                    server.refuseSocket(a.guestEndpoint(), a.hostService());
                }
            }
        }
    }

    private Place place(int relId) {
        return Objects.requireNonNull(places.get(relId));
    }

    private @Nullable ChannelDevice deviceOf(ChannelOffer offer) {
        for (ChannelDevice device : devices.keySet()) {
            if (device.offer().equals(offer)) {
                return device;
            }
        }
        return null;
    }

    private BusChannel make(Action.Open a, Place place, ChannelDevice device, @Nullable StateReader saved) {
        BusChannel.Parameters parameters = new BusChannel.Parameters(
                a.relId(),
                VmBusServer.connectionId(a.relId()),
                place.subChannelIndex,
                device,
                Objects.requireNonNull(version),
                a.ring(),
                a.downstreamPage(),
                a.userData());
        TrafficCounter counter = place.isSocket()
                ? traffic.ofSockets(place.reactor)
                : traffic.ofDevice(device.stateName(), place.reactor);
        return new BusChannel(
                parameters, a.targetVp(), memory, synIc, place.reactor, this, place.gpadls, counter, saved);
    }

    private void open(Action.Open a) {
        Place place = place(a.relId());
        ChannelDevice device = place.device;
        if (device == null) {
            reactor.execute(() -> server.opened(a.relId(), HostMessage.UNSUCCESSFUL));
            return;
        }
        place.reactor.execute(() -> {
            try {
                BusChannel channel = make(a, place, device, null);
                channel.open(false);
                if (paused) {
                    channel.pause(() -> {});
                }
                reactor.execute(() -> opened(place, channel));
            } catch (RuntimeException e) {
                listener.failed(place.offer, place.subChannelIndex, "not opened: " + e.getMessage());
                reactor.execute(() -> {
                    server.opened(a.relId(), HostMessage.UNSUCCESSFUL);
                    settle();
                });
            }
        });
    }

    private void opened(Place place, BusChannel channel) {
        place.channel = channel;
        listener.opened(place.offer, place.subChannelIndex);
        server.opened(channel.relId(), HostMessage.SUCCESS);
        channel.reactor().execute(closing ? channel::close : channel::start);
        settle();
    }

    // What channels tell; on their reactors

    @Override
    public void failed(BusChannel channel, String reason) {
        reactor.execute(() -> {
            Place place = places.get(channel.relId());
            if (place != null) {
                listener.failed(place.offer, place.subChannelIndex, reason);
            }
        });
    }

    @Override
    public void closed(BusChannel channel) {
        reactor.execute(() -> {
            Place place = places.get(channel.relId());
            if (place != null && Objects.equals(place.channel, channel)) {
                place.channel = null;
                listener.closed(place.offer, place.subChannelIndex);
                server.closed(channel.relId());
            }
            settle();
        });
    }

    @Override
    public void offerSubChannels(BusChannel channel, int count) {
        reactor.execute(() -> {
            Place primary = places.get(channel.relId());
            if (primary == null || !Objects.equals(primary.channel, channel)) {
                return;
            }
            for (int i = 1; i <= Math.min(count, VmBusServer.MAX_CHANNELS); i++) {
                int index = i;
                if (places.values().stream()
                        .noneMatch(p -> p.subChannelIndex == index && Objects.equals(p.device, channel.device()))) {
                    try {
                        offer(channel.device(), primary.offer, index, true);
                    } catch (HypervisorException e) {
                        listener.failed(primary.offer, index, String.valueOf(e.getMessage()));
                        return;
                    }
                }
            }
        });
    }

    // Pause, save, restore, close

    /** See {@link io.javisor.vmbus.VmBus#pause}. */
    public void pause(Runnable quiet) {
        paused = true;
        whenQuiet = quiet;
        messages.pause();
        notQuiet = 0;
        int round = ++pauses;
        for (Place place : places.values()) {
            BusChannel channel = place.channel;
            if (channel != null && place.isSocket()) {
                // It is not saved, and what it holds is copies: a thread that never reads must not keep us from saving.
                notQuiet++;
                channel.reactor().execute(() -> {
                    channel.pause(() -> {});
                    reactor.execute(() -> oneIsQuiet(round));
                });
            } else if (channel != null) {
                notQuiet++;
                channel.reactor().execute(() -> channel.pause(() -> reactor.execute(() -> oneIsQuiet(round))));
            }
        }
        settle();
    }

    private void oneIsQuiet(int ofPause) {
        if (ofPause == pauses) {
            notQuiet--;
            settle();
        }
    }

    /** Whoever waits for quiet or for the end is told. */
    private void settle() {
        Runnable quiet = whenQuiet;
        if (quiet != null && notQuiet == 0 && server.isSettled()) {
            whenQuiet = null;
            quiet.run();
        }
        Runnable closed = whenClosed;
        if (closed != null && places.values().stream().allMatch(p -> p.channel == null)) {
            whenClosed = null;
            closed.run();
        }
    }

    /** See {@link io.javisor.vmbus.VmBus#resume}. */
    public void resume() {
        if (closing) {
            return;
        }
        paused = false;
        whenQuiet = null;
        for (Place place : places.values()) {
            BusChannel channel = place.channel;
            if (channel != null) {
                channel.reactor().execute(channel::resume);
            }
        }
        messages.resume();
    }

    /** See {@link io.javisor.vmbus.VmBus#save}. */
    public void save(StateWriter out) {
        server.save(out);
        BusState.saveMessages(out, "in", messages.incoming());
        BusState.saveMessages(out, "out", messages.outgoing());
        places.forEach((relId, place) -> {
            BusChannel channel = place.channel;
            if (channel != null && (place.subChannelIndex != 0 || !place.brief)) {
                StateWriter one = new StateWriter();
                channel.save(one);
                out.put("ring" + relId, one);
            }
        });
        List<ChannelDevice> lasting = new ArrayList<>();
        devices.forEach((device, relId) -> {
            if (!place(relId).brief) {
                lasting.add(device);
            }
        });
        BusState.saveDevices(out, lasting);
    }

    /** See {@link io.javisor.vmbus.VmBus#restore}. Returns what is left to do on other reactors. */
    public List<Hop> restore(StateReader in) {
        if (version != null || places.values().stream().anyMatch(p -> p.channel != null)) {
            throw new IllegalStateException("restore into a bus that a guest uses");
        }
        paused = true;
        messages.pause();
        BusState.restoreDevices(in, devices.keySet());
        hops.clear();
        restoring = in;
        places.clear();
        try {
            server.restore(in);
        } finally {
            restoring = null;
        }
        messages.restore(BusState.messages(in, "in"), BusState.messages(in, "out"));
        return List.copyOf(hops);
    }

    /** All devices at this moment. */
    public List<ChannelDevice> devices() {
        return List.copyOf(devices.keySet());
    }

    private void reopen(Action.Open a) {
        StateReader in = Objects.requireNonNull(restoring);
        Place place = place(a.relId());
        ChannelDevice device = place.device;
        if (device == null) {
            throw new StateException("vmbus channel " + a.relId() + ": its device is gone");
        }
        hops.add(new Hop(place.reactor, () -> {
            BusChannel channel = make(a, place, device, in.getInner("ring" + a.relId()));
            channel.open(true);
            channel.wakeGuestWhenResumed();
            place.channel = channel;
        }));
    }

    /** Closes all channels and calls back when none is left. */
    public void close(Runnable closed) {
        closing = true;
        whenClosed = closed;
        messages.pause();
        for (Place place : places.values()) {
            BusChannel channel = place.channel;
            if (channel != null) {
                channel.reactor().execute(channel::close);
            }
        }
        settle();
    }
}
