package io.javisor.storage.fcoe;

import io.javisor.storage.fibrechannel.Wwn;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/** A host with FCoE at a link of a forwarder: makes its frames, and keeps what it gets. */
final class Host {
    final long mac;
    final Queue<ByteBuffer> got = new ArrayDeque<>();
    private final FcoeForwarder fabric;
    private final int link;
    private int exchange;

    Host(FcoeForwarder fabric, int link, long mac) {
        this.fabric = fabric;
        this.link = link;
        this.mac = mac;
    }

    /** A name that is logged in. */
    record Login(int id, long mac) {}

    void send(ByteBuffer frame, long now) {
        fabric.received(link, frame, now);
    }

    /** The next frame of a kind; others before it are gone. */
    @Nullable
    ByteBuffer next(int etherType) {
        for (ByteBuffer frame; (frame = got.poll()) != null; ) {
            if ((frame.getShort(12) & 0xFFFF) == etherType) {
                return frame;
            }
        }
        return null;
    }

    FipFrame nextFip() {
        ByteBuffer frame = next(FipFrame.ETHER_TYPE);
        FipFrame message = frame == null ? null : FipFrame.of(frame);
        if (message == null) {
            throw new AssertionError("no FIP message");
        }
        return message;
    }

    FcFrame nextFc() {
        ByteBuffer frame = next(FcFrame.ETHER_TYPE);
        FcFrame fc = frame == null ? null : FcFrame.of(frame);
        if (fc == null) {
            throw new AssertionError("no FC frame");
        }
        return fc;
    }

    /** FLOGI or FDISC, in a FIP message: the descriptor has 2 reserved bytes, a frame's header and payload. */
    ByteBuffer loginFrame(int type, Wwn port, Wwn node) {
        byte[] header =
                FcFrame.header(FcFrame.ELS_REQUEST, 0xFFFFFE, 0, FcFrame.TYPE_ELS, FcFrame.REQUEST, ++exchange, 0xFFFF);
        ByteBuffer content = ByteBuffer.allocate(2 + header.length + 116);
        content.put(2, header);
        int payload = 2 + header.length;
        content.put(payload, (byte) (type == FipFrame.FLOGI ? LinkService.FLOGI : LinkService.FDISC))
                .putLong(payload + LinkService.PORT_NAME, port.value())
                .putLong(payload + LinkService.NODE_NAME, node.value());
        return new FipFrame.Writer(FipFrame.LINK_SERVICE, FipFrame.ASKS, FipFrame.FABRIC_GIVES_MACS)
                .add(type, content.array())
                .mac(0)
                .frame(0x02_00_00_00_00_FFL, mac, 0);
    }

    /** The answer to a login: the payload. */
    ByteBuffer answer(int type, Wwn port, Wwn node, long now) {
        got.clear();
        send(loginFrame(type, port, node), now);
        return nextFip().find(type, 30).orElseThrow().slice(26, 4);
    }

    Login login(int type, Wwn port, Wwn node, long now) {
        got.clear();
        send(loginFrame(type, port, node), now);
        for (FipFrame message; ; ) {
            message = nextFip();
            ByteBuffer content = message.find(type, 30).orElse(null);
            if (content != null) {
                if (content.get(26) != LinkService.ACCEPT) {
                    throw new AssertionError("refused");
                }
                return new Login(content.getInt(2) & 0xFFFFFF, message.mac());
            }
        }
    }

    void logout(Login login, long now) {
        byte[] header = FcFrame.header(
                FcFrame.ELS_REQUEST, 0xFFFFFE, login.id, FcFrame.TYPE_ELS, FcFrame.REQUEST, ++exchange, 0xFFFF);
        ByteBuffer content = ByteBuffer.allocate(2 + header.length + 16);
        content.put(2, header).put(26, (byte) LinkService.LOGO);
        send(
                new FipFrame.Writer(FipFrame.LINK_SERVICE, FipFrame.ASKS, 0)
                        .add(FipFrame.LOGO, content.array())
                        .mac(login.mac)
                        .frame(0x02_00_00_00_00_FFL, mac, 0),
                now);
    }

    void keepAlive(long now) {
        send(new FipFrame.Writer(FipFrame.CONTROL, FipFrame.ASKS, 0).mac(mac).frame(0x02_00_00_00_00_FFL, mac, 0), now);
    }

    void fc(Login from, int to, int control, int type, byte[] payload) {
        byte[] header = FcFrame.header(control, to, from.id, type, FcFrame.REQUEST, ++exchange, 0xFFFF);
        send(FcFrame.of(0x02_00_00_00_00_FFL, from.mac, header, payload), 0);
    }

    /** Asks the name server; the answer with its preamble. */
    ByteBuffer ask(Login from, int command, byte[] content) {
        ByteBuffer request = ByteBuffer.allocate(16 + content.length);
        request.putInt(0, 0x01000000).put(4, (byte) 0xFC).put(5, (byte) 2).putShort(8, (short) command);
        request.put(16, content);
        fc(from, 0xFFFFFC, FcFrame.UNSOLICITED_CONTROL, FcFrame.TYPE_CT, request.array());
        for (FcFrame frame; ; ) {
            frame = nextFc();
            if (frame.type() == FcFrame.TYPE_CT && frame.control() == FcFrame.SOLICITED_CONTROL) {
                return frame.payload();
            }
        }
    }

    byte[] els(Login from, int to, int code) {
        fc(from, to, FcFrame.ELS_REQUEST, FcFrame.TYPE_ELS, new byte[] {(byte) code, 0, 0, 0, 0, 0, 0, 0});
        ByteBuffer payload = nextFc().payload();
        byte[] bytes = new byte[payload.limit()];
        payload.get(bytes);
        return bytes;
    }

    /** Says that a login is an FCP port, and wants to hear of others. */
    void register(Login login, boolean target) {
        els(login, 0xFFFFFD, LinkService.STATE_CHANGE_REGISTRATION);
        ByteBuffer types = ByteBuffer.allocate(36).putInt(0, login.id).put(4 + 2, (byte) 1);
        ask(login, 0x217, types.array());
        ByteBuffer features = ByteBuffer.allocate(8).putInt(0, login.id);
        features.put(6, (byte) (target ? 1 : 2)).put(7, (byte) 8);
        ask(login, 0x21F, features.array());
    }
}
