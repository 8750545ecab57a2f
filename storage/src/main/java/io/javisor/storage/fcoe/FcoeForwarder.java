package io.javisor.storage.fcoe;

import io.javisor.storage.fcoe.FabricPorts.Entry;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.fibrechannel.Zoning;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An FCoE Forwarder (FCF) as a function of frames and time: it answers discovery, logs hosts and their further names in and out,
 * keeps the directory of ports, and forwards frames between them. For one thread at a time.
 *
 * <p>A name that is logged in from one host is refused to others until it logs out, its link goes down, or its host has not been
 * heard of for two and a half periods of keep-alives.
 */
final class FcoeForwarder {
    /** Port IDs from here on are the fabric's own services (FC-FS-3 section 11.2.2). */
    private static final int WELL_KNOWN = 0xFFFFF0;

    private static final int NAME_SERVER = 0xFFFFFC;
    private static final int FABRIC_CONTROLLER = 0xFFFFFD;
    private static final int F_PORT = 0xFFFFFE;
    /** An Ethernet frame with FCoE's header, a whole FC frame, CRC and EOF, without the Ethernet header. */
    private static final int MOST_FCOE_SIZE = FcFrame.MOST_BYTES - 14;

    private static final int PRIORITY = 128;
    private static final int UNKNOWN_RESPONDER = 0xFFFF;
    private static final int RESPONDER = 1;

    /** Where frames go. */
    interface Wire {
        /** Sends a frame, from 0 to its limit, before it returns. */
        void send(int link, ByteBuffer frame);
    }

    private final Wire wire;
    private final long[] macs;
    private final boolean[] up;
    private final Wwn name;
    private final int period;
    private final Zoning zoning;
    private final FabricPorts ports = new FabricPorts();
    private final NameServer names = new NameServer(ports, this::sees, port -> tellOthers(port));
    private long nextAdvertisement;
    private int exchange;
    private long forwarded;
    private long dropped;

    /**
     * @param macs the links' own addresses
     * @param name of the fabric and its switch
     * @param period of advertisements and keep-alives, in milliseconds
     * @param zoning who sees whom
     */
    FcoeForwarder(Wire wire, long[] macs, Wwn name, int period, Zoning zoning) {
        if (macs.length == 0 || macs.length > FabricPorts.MOST_LINKS) {
            throw new IllegalArgumentException(macs.length + " links are not in 1.." + FabricPorts.MOST_LINKS);
        }
        this.wire = wire;
        this.macs = macs.clone();
        this.up = new boolean[macs.length];
        this.name = name;
        this.period = period;
        this.zoning = zoning;
    }

    private boolean sees(Entry one, Entry other) {
        return zoning.allows(one.portName, other.portName);
    }

    /** A link has come up or gone down. */
    void link(int link, boolean isUp) {
        if (isUp && !up[link]) {
            advertise(link, Mac.ALL_ENODES, 0, 0);
        } else if (!isUp && up[link]) {
            ports.all().stream().filter(e -> e.link == link).forEach(this::logOut);
        }
        up[link] = isUp;
    }

    /** Time has passed. */
    void tick(long now) {
        if (now >= nextAdvertisement) {
            nextAdvertisement = now + period;
            for (int link = 0; link < macs.length; link++) {
                if (up[link]) {
                    advertise(link, Mac.ALL_ENODES, 0, 0);
                }
            }
        }
        for (Entry entry : ports.all()) {
            if (now - entry.seen > period * 5L / 2) {
                clear(entry);
                logOut(entry);
            }
        }
    }

    /** Tells all hosts that the fabric ends. */
    void end() {
        for (Entry entry : ports.all()) {
            clear(entry);
            ports.remove(entry);
        }
    }

    /** Has zones that were changed take effect: ports are told of whom they see now, or not any more. */
    void rezoned() {
        for (Entry one : ports.all()) {
            if (one.announced) {
                tell(one, ports.all());
            }
        }
    }

    List<FabricPort> ports() {
        return ports.all().stream().map(Entry::view).toList();
    }

    long forwarded() {
        return forwarded;
    }

    long dropped() {
        return dropped;
    }

    /** A frame has arrived, from 0 to its limit; its addresses may be overwritten. */
    void received(int link, ByteBuffer frame, long now) {
        if (frame.limit() < 14) {
            dropped++;
            return;
        }
        switch (frame.getShort(12) & 0xFFFF) {
            case FipFrame.ETHER_TYPE -> {
                FipFrame message = FipFrame.of(frame);
                if (message == null || !initialize(link, message, now)) {
                    dropped++;
                }
            }
            case FcFrame.ETHER_TYPE -> {
                FcFrame fc = FcFrame.of(frame);
                if (fc == null || !exchanged(link, fc)) {
                    dropped++;
                }
            }
            default -> {} // the network's other traffic
        }
    }

    // The FCoE Initialization Protocol

    private boolean initialize(int link, FipFrame message, long now) {
        if (message.subcode() != FipFrame.ASKS) {
            return false;
        }
        return switch (message.operation()) {
            case FipFrame.DISCOVERY -> solicited(link, message);
            case FipFrame.CONTROL -> keptAlive(link, message.source(), now);
            case FipFrame.VLAN -> askedForNetworks(link, message.source());
            case FipFrame.LINK_SERVICE -> login(link, message, now);
            default -> false;
        };
    }

    /** The answer is as long as the longest frame: who gets it knows that the way takes such frames. */
    private boolean solicited(int link, FipFrame message) {
        int size = message.find(FipFrame.SIZE, 2)
                .map(content -> content.getShort(0) & 0xFFFF)
                .orElse(0);
        advertise(link, message.mac(), FipFrame.SOLICITED, 14 + Math.min(size, MOST_FCOE_SIZE));
        return true;
    }

    /** A host's own is for all of its names; that of a further name comes from the address that it was given. */
    private boolean keptAlive(int link, long from, long now) {
        for (Entry entry : ports.of(link, from)) {
            entry.seen = now;
        }
        Entry virtual = ports.byId((int) (from & 0xFFFFFF));
        if (virtual != null && virtual.link == link && virtual.mac() == from) {
            virtual.seen = now;
        }
        return true;
    }

    private boolean askedForNetworks(int link, long from) {
        wire.send(
                link,
                new FipFrame.Writer(FipFrame.VLAN, FipFrame.TELLS, 0)
                        .mac(macs[link])
                        .add(FipFrame.VLAN_ID, new byte[2]) // none: frames without a tag
                        .frame(from, macs[link], 0));
        return true;
    }

    private void advertise(int link, long to, int flags, int least) {
        var writer = new FipFrame.Writer(
                FipFrame.DISCOVERY,
                FipFrame.TELLS,
                FipFrame.FABRIC_GIVES_MACS | FipFrame.AVAILABLE | FipFrame.F_PORT | flags);
        ByteBuffer fabric = ByteBuffer.allocate(14).putInt(2, Mac.FC_MAP).putLong(6, name.value());
        wire.send(
                link,
                writer.add(FipFrame.PRIORITY, new byte[] {0, (byte) PRIORITY})
                        .mac(macs[link])
                        .name(name.value())
                        .add(FipFrame.FABRIC, fabric.array())
                        .add(
                                FipFrame.PERIOD,
                                ByteBuffer.allocate(6).putInt(2, period).array())
                        .frame(to, macs[link], least));
    }

    private void clear(Entry entry) {
        ByteBuffer port = ByteBuffer.allocate(18);
        Mac.put(port, 0, entry.mac());
        port.putInt(6, entry.id).putLong(10, entry.portName.value());
        wire.send(
                entry.link,
                new FipFrame.Writer(FipFrame.CONTROL, FipFrame.TELLS, 0)
                        .mac(macs[entry.link])
                        .name(name.value())
                        .add(FipFrame.VX_PORT, port.array())
                        .frame(entry.host, macs[entry.link], 0));
    }

    /** Content of the descriptor: 2 reserved, then a frame's header and payload. */
    private boolean login(int link, FipFrame message, long now) {
        for (int type : new int[] {FipFrame.FLOGI, FipFrame.FDISC, FipFrame.LOGO}) {
            ByteBuffer content =
                    message.find(type, 2 + FcFrame.HEADER_BYTES + 4).orElse(null);
            if (content == null) {
                continue;
            }
            int asked = content.getShort(2 + 16) & 0xFFFF;
            ByteBuffer request = content.slice(2 + FcFrame.HEADER_BYTES, content.limit() - 2 - FcFrame.HEADER_BYTES);
            if (type == FipFrame.LOGO) {
                int id = content.getInt(2 + 4) & 0xFFFFFF;
                Entry leaving = ports.byId(id);
                if (leaving != null && leaving.link == link && leaving.host == message.source()) {
                    logOut(leaving);
                    if (!leaving.virtual) {
                        ports.of(link, leaving.host).forEach(this::logOut); // its further names go with it
                    }
                }
                reply(link, message, type, id, asked, LinkService.accept(), leaving);
                return true;
            }
            if (request.limit() < LinkService.NAMES_END) {
                return false;
            }
            return login(link, message, type == FipFrame.FDISC, asked, request, now);
        }
        return false;
    }

    private boolean login(int link, FipFrame message, boolean virtual, int asked, ByteBuffer request, long now) {
        int type = virtual ? FipFrame.FDISC : FipFrame.FLOGI;
        Wwn port;
        Wwn node;
        try {
            port = new Wwn(request.getLong(LinkService.PORT_NAME));
            node = new Wwn(request.getLong(LinkService.NODE_NAME));
        } catch (IllegalArgumentException e) {
            refuse(link, message, type, asked, LinkService.LOGICAL_ERROR, LinkService.INVALID_PORT_NAME);
            return true;
        }
        Entry before = ports.byName(port);
        if (before != null && (before.link != link || before.host != message.source())) {
            refuse(link, message, type, asked, LinkService.LOGICAL_ERROR, LinkService.INVALID_PORT_NAME);
            return true;
        }
        List<Entry> host = ports.of(link, message.source());
        if (virtual && host.stream().allMatch(entry -> entry.virtual)) {
            refuse(link, message, type, asked, LinkService.UNABLE, 0); // a host logs in itself first
            return true;
        }
        if (before != null) {
            logOut(before);
        }
        if (!virtual) {
            host.forEach(
                    entry -> { // it starts anew
                        if (ports.byId(entry.id) == entry) {
                            logOut(entry);
                        }
                    });
        }
        Entry entry = ports.add(link, port, node, message.source(), virtual, now);
        if (entry == null) {
            refuse(link, message, type, asked, LinkService.UNABLE, LinkService.NO_RESOURCES);
            return true;
        }
        byte[] accept = LinkService.acceptFabricLogin(name.value(), name.value());
        reply(link, message, type, entry.id, asked, accept, entry);
        return true;
    }

    private void refuse(int link, FipFrame message, int type, int asked, int reason, int explanation) {
        reply(link, message, type, 0, asked, LinkService.reject(reason, explanation), null);
    }

    private void reply(int link, FipFrame to, int type, int portId, int asked, byte[] payload, @Nullable Entry entry) {
        byte[] header = FcFrame.header(
                FcFrame.ELS_REPLY, portId, F_PORT, FcFrame.TYPE_ELS, FcFrame.ANSWER, asked, UNKNOWN_RESPONDER);
        ByteBuffer content = ByteBuffer.allocate(2 + header.length + payload.length);
        content.put(2, header).put(2 + header.length, payload);
        var writer = new FipFrame.Writer(FipFrame.LINK_SERVICE, FipFrame.TELLS, FipFrame.FABRIC_GIVES_MACS)
                .add(type, content.array());
        if (payload[0] == LinkService.ACCEPT) {
            writer.mac(entry == null ? to.source() : entry.mac());
        }
        wire.send(link, writer.frame(to.source(), macs[link], 0));
    }

    private void logOut(Entry entry) {
        ports.remove(entry);
        if (entry.announced) {
            tellOthers(entry);
        }
    }

    // Fibre Channel

    /** Whether it was of use. */
    private boolean exchanged(int link, FcFrame frame) {
        Entry from = ports.byId(frame.source());
        if (from == null || from.link != link || Mac.get(frame.bytes(), 6) != from.mac()) {
            return false;
        }
        int to = frame.destination();
        if (to >= WELL_KNOWN) {
            return served(from, frame);
        }
        Entry target = ports.byId(to);
        if (target == null || !sees(from, target)) {
            return false;
        }
        ByteBuffer bytes = frame.bytes();
        Mac.put(bytes, 0, target.mac());
        Mac.put(bytes, 6, macs[target.link]);
        wire.send(target.link, bytes);
        forwarded++;
        return true;
    }

    private boolean served(Entry from, FcFrame frame) {
        ByteBuffer request = frame.payload();
        if (frame.type() == FcFrame.TYPE_CT && frame.control() == FcFrame.UNSOLICITED_CONTROL) {
            byte[] answer = frame.destination() == NAME_SERVER ? names.answer(from, request) : null;
            if (answer != null) {
                send(from, frame.destination(), FcFrame.SOLICITED_CONTROL, FcFrame.TYPE_CT, frame.exchange(), answer);
            }
            return answer != null;
        }
        if (frame.type() != FcFrame.TYPE_ELS || frame.control() != FcFrame.ELS_REQUEST || request.limit() < 4) {
            return frame.control() == FcFrame.ELS_REPLY; // to what was told
        }
        boolean service = frame.destination() == NAME_SERVER || frame.destination() == FABRIC_CONTROLLER;
        byte[] answer = switch (request.get(0) & 0xFF) {
            case LinkService.PLOGI ->
                service
                        ? LinkService.acceptPortLogin(name.value() & ~0xFFL | frame.destination() & 0xFF, name.value())
                        : LinkService.reject(LinkService.UNABLE, 0);
            case LinkService.LOGO -> LinkService.accept();
            case LinkService.RTV -> LinkService.timeouts();
            case LinkService.STATE_CHANGE_REGISTRATION -> {
                from.listens = true;
                yield LinkService.accept();
            }
            default -> LinkService.reject(LinkService.NOT_SUPPORTED, 0);
        };
        send(from, frame.destination(), FcFrame.ELS_REPLY, FcFrame.TYPE_ELS, frame.exchange(), answer);
        return true;
    }

    private void send(Entry to, int from, int control, int type, int answered, byte[] payload) {
        byte[] header = FcFrame.header(control, to.id, from, type, FcFrame.ANSWER, answered, RESPONDER);
        wire.send(to.link, FcFrame.of(to.mac(), macs[to.link], header, payload));
    }

    private void tellOthers(Entry about) {
        for (Entry other : ports.all()) {
            if (other != about && other.listens && sees(other, about)) {
                stateChange(other, about.id);
            }
        }
    }

    private void tell(Entry listener, List<Entry> about) {
        if (listener.listens) {
            about.stream()
                    .filter(other -> other != listener && other.announced)
                    .forEach(other -> stateChange(listener, other.id));
        }
    }

    private void stateChange(Entry to, int about) {
        exchange = exchange + 1 & 0x7FFF;
        byte[] header = FcFrame.header(
                FcFrame.ELS_REQUEST,
                to.id,
                FABRIC_CONTROLLER,
                FcFrame.TYPE_ELS,
                FcFrame.REQUEST,
                exchange,
                UNKNOWN_RESPONDER);
        wire.send(to.link, FcFrame.of(to.mac(), macs[to.link], header, LinkService.stateChange(about)));
    }
}
