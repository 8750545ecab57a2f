package io.javisor.networking.netvsp;

import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.vswitch.Station;
import io.javisor.networking.vswitch.SwitchPort;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.vmbus.channel.Channel;
import io.javisor.vmbus.channel.ChannelDevice;
import io.javisor.vmbus.channel.ChannelHandler;
import io.javisor.vmbus.channel.ChannelOffer;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * A synthetic network adapter: on the guest's bus on one side, a station of a switch on the other. {@link #receive},
 * {@link #plug} and {@link #setConnected} are safe from any thread; the rest belongs to the bus.
 */
public final class NetworkAdapter implements ChannelDevice, Station {
    /** The kind of device on the bus: a network adapter (vmbus class "net"). */
    public static final UUID INTERFACE_TYPE = UUID.fromString("f8615163-df3e-46c5-913f-f2d2f965ed0e");

    /** Adapters of a machine, as Hyper-V has them. */
    public static final int MOST_ADAPTERS = 8;

    /** Queues that a guest may have beside the first (Linux: VRSS_CHANNEL_MAX − 1). */
    public static final int MOST_SUB_CHANNELS = 63;

    /** Bytes of the largest IP packet that an adapter may be told to take. */
    public static final int MOST_MTU = 9000;

    /** Bytes of the smallest MTU: what IPv6 needs of every link. */
    public static final int LEAST_MTU = 1280;

    private static final int STATE_VERSION = 1;
    private static final int DHCP_SERVER = 67;
    private static final int DHCP_CLIENT = 68;
    private static final int PACKETS_HELD = 256;
    private static final int PACKET_LIMIT = 4096; // 32 ranges of a page each, and the message
    private static final int MOST_ANSWERS = 64;

    private final int number;
    private final ChannelOffer offer;
    private final int mtu;
    private final int subChannels;
    private final NvspSession session;
    private final RndisControl control;
    private final AtomicReferenceArray<@Nullable AdapterChannel> channels;
    private final LongAdder lost = new LongAdder();
    private volatile MacAddress mac;
    private volatile @Nullable SwitchPort port;
    private volatile boolean connected = true;
    private @Nullable StateReader restoring;

    /**
     * An adapter that is not plugged in.
     *
     * @param number of the adapter in its machine, from 0 to 7
     * @param mac its address
     * @param mtu bytes of the largest IP packet, {@link #LEAST_MTU} to {@link #MOST_MTU}
     * @param subChannels queues that the guest may have beside the first; one less than its vCPUs is a good number
     */
    public NetworkAdapter(int number, MacAddress mac, int mtu, int subChannels) {
        if (number < 0 || number >= MOST_ADAPTERS) {
            throw new IllegalArgumentException("adapter " + number + " is not in 0.." + (MOST_ADAPTERS - 1));
        }
        if (mtu < LEAST_MTU || mtu > MOST_MTU) {
            throw new IllegalArgumentException("an MTU of " + mtu + " is not in " + LEAST_MTU + ".." + MOST_MTU);
        }
        if (subChannels < 0 || subChannels > MOST_SUB_CHANNELS) {
            throw new IllegalArgumentException(subChannels + " sub-channels are not in 0.." + MOST_SUB_CHANNELS);
        }
        this.number = number;
        this.mac = mac;
        this.mtu = mtu;
        this.subChannels = subChannels;
        byte[] name = ("javisor.net." + number).getBytes(StandardCharsets.US_ASCII);
        offer = ChannelOffer.of(INTERFACE_TYPE, UUID.nameUUIDFromBytes(name));
        session = new NvspSession(subChannels, this::receiveBufferGone);
        control = new RndisControl(new Traits());
        channels = new AtomicReferenceArray<>(subChannels + 1);
    }

    private final class Traits implements RndisControl.Traits {
        @Override
        public MacAddress mac() {
            return mac;
        }

        @Override
        public boolean changeMac(MacAddress wanted) {
            SwitchPort here = port;
            if (here == null || !here.settings().macSpoofing()) {
                return wanted.equals(mac);
            }
            mac = wanted;
            return true;
        }

        @Override
        public int mtu() {
            return mtu;
        }

        @Override
        public boolean isConnected() {
            return connected && port != null;
        }

        @Override
        public int queues() {
            return subChannels + 1;
        }
    }

    /** Plugs it into a port of which it is the station; null pulls the plug. The guest sees the medium come or go. */
    public void plug(@Nullable SwitchPort into) {
        boolean before = new Traits().isConnected();
        port = into;
        mediumChanged(before);
    }

    /** Connects or interrupts the medium, as a cable would. */
    public void setConnected(boolean now) {
        boolean before = new Traits().isConnected();
        connected = now;
        mediumChanged(before);
    }

    private void mediumChanged(boolean before) {
        AdapterChannel primary = channels.get(0);
        if (before != new Traits().isConnected() && primary != null) {
            primary.tell(control.mediumChanged());
        }
    }

    /** Number of the adapter in its machine. */
    public int number() {
        return number;
    }

    /** Its address. */
    public MacAddress mac() {
        return mac;
    }

    /** Bytes of the largest IP packet. */
    public int mtu() {
        return mtu;
    }

    /** Queues that the guest has open now. */
    public int openQueues() {
        int open = 0;
        for (int i = 0; i < channels.length(); i++) {
            open += channels.get(i) == null ? 0 : 1;
        }
        return open;
    }

    /** Frames for the guest that found no room, since the adapter was made. */
    public long framesLost() {
        return lost.sum();
    }

    void lost() {
        lost.increment();
    }

    NvspSession session() {
        return session;
    }

    RndisControl control() {
        return control;
    }

    /** Passes a frame of the guest on; returns how long the guest shall wait, in nanoseconds. */
    long sent(Frame frame) {
        SwitchPort to = port;
        boolean tooLong = frame.mss() == 0 && frame.length() > mtu + Frame.HEADER;
        return to == null || !connected || tooLong ? 0 : to.send(frame);
    }

    @Override
    public void receive(Frame frame) {
        AdapterChannel primary = channels.get(0);
        if (primary == null || !connected || !control.receives()) {
            return;
        }
        int checksum = 0;
        if (frame.openChecksum() && isDhcp(frame)) {
            Checksums.close(
                    frame); // clients read these past the guest's network stack, and look at the checksum themselves
        }
        if (frame.openChecksum()) { // of a sender in this process: it was never at risk
            checksum = frame.protocol() == Frame.TCP ? Rndis.RECEIVED_TCP_RIGHT : Rndis.RECEIVED_UDP_RIGHT;
        }
        AdapterChannel to = primary;
        int hash = 0;
        RndisControl.Spread spread = control.spread();
        if (spread != null) {
            hash = spread.hash().hash(frame);
            AdapterChannel chosen = channels.get(spread.table()[hash & spread.table().length - 1]);
            to = chosen == null ? primary : chosen;
        }
        if (!to.deliver(frame, checksum, hash)) {
            lost.increment();
        }
    }

    private static boolean isDhcp(Frame frame) {
        return frame.protocol() == Frame.UDP
                && (frame.destinationPort() == DHCP_CLIENT || frame.destinationPort() == DHCP_SERVER);
    }

    @Override
    public boolean takesLarge(int etherType) {
        return control.coalesces(etherType);
    }

    @Override
    public boolean takesOpenChecksums() {
        return true;
    }

    @Override
    public ChannelOffer offer() {
        return offer;
    }

    @Override
    public int maxPacketBytes() {
        return PACKET_LIMIT;
    }

    @Override
    public int maxPacketsHeld() {
        return PACKETS_HELD;
    }

    @Override
    public ChannelHandler opened(Channel channel) {
        if (channel.subChannelIndex() == 0) {
            session.reset();
            control.reset();
        }
        return open(channel);
    }

    private AdapterChannel open(Channel channel) {
        var handler = new AdapterChannel(this, channel);
        channels.set(channel.subChannelIndex(), handler);
        return handler;
    }

    @Override
    public ChannelHandler restored(Channel channel) {
        AdapterChannel handler = open(channel);
        StateReader in = restoring;
        if (channel.subChannelIndex() == 0 && in != null) {
            restoring = null;
            session.restoreBuffers(in.getInner("session"), channel);
            for (int i = 0; i < in.getInt("answers", 0, MOST_ANSWERS); i++) {
                handler.answers().add(in.getBytes("answer" + i));
            }
        }
        return handler;
    }

    private void receiveBufferGone() {
        for (int i = 0; i < channels.length(); i++) {
            AdapterChannel channel = channels.get(i);
            if (channel != null) {
                channel.receiveBufferGone();
            }
        }
    }

    void closed(AdapterChannel channel) {
        channels.compareAndSet(channel.index(), channel, null);
        if (channel.index() == 0) {
            session.reset();
            control.reset();
            return;
        }
        ReceiveBuffer buffer = session.receiveBuffer();
        if (buffer != null) {
            buffer.completeAll(channel.index());
        }
    }

    @Override
    public String stateName() {
        return "net" + number;
    }

    @Override
    public int stateVersion() {
        return STATE_VERSION;
    }

    /** Frames that wait for the guest are left out: a network may lose them. */
    @Override
    public void save(StateWriter out) {
        var protocol = new StateWriter();
        session.save(protocol);
        var requests = new StateWriter();
        control.save(requests);
        out.put("mac", mac.value());
        out.put("session", protocol);
        out.put("control", requests);
        AdapterChannel primary = channels.get(0);
        out.put("answers", primary == null ? 0 : primary.answers().size());
        if (primary != null) {
            int i = 0;
            for (byte[] answer : primary.answers()) {
                out.put("answer" + i++, answer);
            }
        }
    }

    @Override
    public void restore(StateReader in) {
        in.requireVersion(STATE_VERSION);
        mac = new MacAddress(in.getLong("mac") & 0xFFFF_FFFF_FFFFL);
        session.restore(in.getInner("session"));
        control.restore(in.getInner("control"));
        restoring = in;
    }
}
