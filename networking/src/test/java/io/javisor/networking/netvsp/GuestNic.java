package io.javisor.networking.netvsp;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.vmbus.guest.GuestChannel;
import io.javisor.vmbus.guest.GuestPacket;
import io.javisor.vmbus.guest.GuestRange;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.ring.PacketTypes;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A driver as Linux's netvsc is one, for tests: the guest's side of the protocol. */
@SuppressWarnings("ByteBufferBackingArray") // allocated here
final class GuestNic {
    static final int RECEIVE_BYTES = 1 << 20;
    static final int SEND_BYTES = 256 << 10;
    private static final int RECEIVE_ID = 0xCAFE;

    /** A frame that was received. */
    record Received(byte[] bytes, int checksum, int vlan, int hash, int parts) {}

    final TestGuest guest;
    final GuestChannel channel;
    final List<GuestChannel> all = new ArrayList<>();
    long receiveGpa;
    long sendGpa;
    int receiveGpadl;
    int sections;
    int sectionBytes;
    private long transaction = 100;
    private int request = 1;
    private final List<byte[]> controls = new ArrayList<>();
    private final List<Received> received = new ArrayList<>();
    final List<Runnable> held = new ArrayList<>();
    boolean holding;

    GuestNic(TestGuest guest, NetworkAdapter adapter) {
        this(guest, guest.open(adapter.offer(), 32, 32));
    }

    GuestNic(TestGuest guest, GuestChannel channel) {
        this.guest = guest;
        this.channel = channel;
        all.add(channel);
    }

    static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    ByteBuffer ask(ByteBuffer message) {
        long id = transaction++;
        channel.send(id, message.array(), true);
        GuestPacket answer = channel.tryReceive();
        if (answer == null) {
            throw new AssertionError("no answer; failures: " + guest.failures());
        }
        assertThat(answer.isCompletion()).isTrue();
        assertThat(answer.transactionId()).isEqualTo(id);
        return answer.buffer();
    }

    boolean negotiate(int version) {
        return ask(little(40).putInt(0, 1).putInt(4, version).putInt(8, version))
                        .getInt(12)
                == 1;
    }

    /** All that Linux does until frames may flow. */
    GuestNic start(int version, int mtu) {
        assertThat(negotiate(version)).isTrue();
        channel.send(
                transaction++,
                little(40).putInt(0, 125).putInt(4, mtu + 14).putLong(12, 0xF8).array(),
                false);
        channel.send(
                transaction++,
                little(40).putInt(0, 100).putInt(4, 6).putInt(8, 30).array(),
                false);
        lendBuffers();
        assertThat(rndis(2, little(12).putInt(0, 1).putInt(8, 0x4000)).getInt(12))
                .as("INIT")
                .isZero();
        assertThat(set(0x0001_010E, little(4).putInt(0, 0xB)))
                .as("packet filter")
                .isZero();
        return this;
    }

    void lendBuffers() {
        receiveGpa = guest.allocate(RECEIVE_BYTES);
        sendGpa = guest.allocate(SEND_BYTES);
        receiveGpadl = channel.lend(List.of(GuestRange.of(receiveGpa, RECEIVE_BYTES)));
        ByteBuffer answer =
                ask(little(40).putInt(0, 101).putInt(4, receiveGpadl).putShort(8, (short) RECEIVE_ID));
        assertThat(answer.getInt(0)).isEqualTo(102);
        assertThat(answer.getInt(4)).isEqualTo(1);
        assertThat(answer.getInt(8)).as("one section only, or Linux refuses").isEqualTo(1);
        sectionBytes = answer.getInt(16);
        sections = answer.getInt(20);
        assertThat((long) sectionBytes * sections).isLessThanOrEqualTo(RECEIVE_BYTES);
        int send = channel.lend(List.of(GuestRange.of(sendGpa, SEND_BYTES)));
        answer = ask(little(40).putInt(0, 104).putInt(4, send));
        assertThat(answer.getInt(4)).isEqualTo(1);
        assertThat(answer.getInt(8)).isEqualTo(6144);
    }

    /** An RNDIS request, without its type, length and ID; the answer whole. */
    ByteBuffer rndis(int type, ByteBuffer body) {
        int id = request++;
        byte[] rest = body.array();
        ByteBuffer message = little(12 + rest.length)
                .putInt(0, type)
                .putInt(4, 12 + rest.length)
                .putInt(8, id);
        message.put(12, rest);
        sendControl(message.array());
        poll();
        for (byte[] answer : controls) {
            ByteBuffer buffer = ByteBuffer.wrap(answer).order(ByteOrder.LITTLE_ENDIAN);
            if (buffer.getInt(0) == (type | 0x8000_0000) && buffer.getInt(8) == id) {
                controls.remove(answer);
                return buffer;
            }
        }
        throw new AssertionError("no answer to request " + type + "; failures " + guest.failures());
    }

    void sendControl(byte[] message) {
        long gpa = guest.allocate(message.length);
        guest.memory().write(gpa, message);
        channel.sendGpaDirect(
                transaction++,
                little(16).putInt(0, 107).putInt(4, 1).putInt(8, -1).array(),
                List.of(GuestRange.of(gpa, message.length)));
    }

    ByteBuffer query(int oid) {
        ByteBuffer answer = rndis(4, little(16).putInt(0, oid).putInt(8, 20));
        assertThat(answer.getInt(12)).as("status of OID 0x%x", oid).isZero();
        return answer.slice(8 + answer.getInt(20), answer.getInt(16)).order(ByteOrder.LITTLE_ENDIAN);
    }

    int set(int oid, ByteBuffer value) {
        byte[] bytes = value.array();
        ByteBuffer body =
                little(16 + bytes.length).putInt(0, oid).putInt(4, bytes.length).putInt(8, 20);
        return rndis(5, body.put(16, bytes)).getInt(12);
    }

    /** RNDIS_PACKET with one info or none (kind −1). */
    static byte[] packet(byte[] frame, int kind, int info) {
        int infos = kind == -1 ? 0 : 16;
        ByteBuffer all = little(44 + infos + frame.length);
        all.putInt(0, 1).putInt(4, all.capacity()).putInt(8, 36 + infos).putInt(12, frame.length);
        if (infos > 0) {
            all.putInt(28, 36).putInt(32, 16);
            all.putInt(44, 16).putInt(48, kind).putInt(52, 12).putInt(56, info);
        }
        return all.put(44 + infos, frame).array();
    }

    /** Sends a packet in pages of its own. */
    void send(byte[] packet) {
        send(channel, packet);
    }

    void send(GuestChannel on, byte[] packet) {
        long gpa = guest.allocate(packet.length + 100) + 100;
        guest.memory().write(gpa, packet);
        on.sendGpaDirect(
                transaction++,
                little(16).putInt(0, 107).putInt(8, -1).array(),
                List.of(GuestRange.of(gpa, packet.length)));
    }

    /** Sends a packet in a section of the send buffer. */
    void send(int section, byte[] packet) {
        guest.memory().write(sendGpa + section * 6144L, packet);
        channel.send(
                transaction++,
                little(16)
                        .putInt(0, 107)
                        .putInt(8, section)
                        .putInt(12, packet.length)
                        .array(),
                true);
    }

    /** Sends a packet that begins in a section and ends in pages. */
    void sendPartly(int section, byte[] packet, int inSection) {
        guest.memory().write(sendGpa + section * 6144L, java.util.Arrays.copyOf(packet, inSection));
        byte[] rest = java.util.Arrays.copyOfRange(packet, inSection, packet.length);
        long gpa = guest.allocate(rest.length);
        guest.memory().write(gpa, rest);
        channel.sendGpaDirect(
                transaction++,
                little(16)
                        .putInt(0, 107)
                        .putInt(8, section)
                        .putInt(12, inSection)
                        .array(),
                List.of(GuestRange.of(gpa, rest.length)));
    }

    /** Completions of what the guest sent: the statuses. */
    final List<Integer> statuses = new ArrayList<>();

    /** Takes what has come, on all channels. */
    void poll() {
        for (GuestChannel from : all) {
            for (GuestPacket packet = from.tryReceive(); packet != null; packet = from.tryReceive()) {
                take(from, packet);
            }
        }
    }

    private void take(GuestChannel from, GuestPacket packet) {
        if (packet.isCompletion()) {
            if (packet.payload().length >= 8 && packet.buffer().getInt(0) == 108) {
                statuses.add(packet.buffer().getInt(4));
            }
            return;
        }
        assertThat(packet.type()).isEqualTo(PacketTypes.TRANSFER_PAGES);
        ByteBuffer header = ByteBuffer.wrap(packet.header()).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(header.getShort(0) & 0xFFFF).isEqualTo(RECEIVE_ID);
        int ranges = header.getInt(4);
        ByteBuffer message = packet.buffer();
        assertThat(message.getInt(0)).isEqualTo(107);
        var joined = new ByteArrayOutputStream();
        int checksum = 0;
        int vlan = 0;
        int hash = 0;
        for (int i = 0; i < ranges; i++) {
            int bytes = header.getInt(8 + 8 * i);
            int offset = header.getInt(12 + 8 * i);
            assertThat(bytes).as("Linux drops larger ones").isLessThanOrEqualTo(sectionBytes);
            byte[] content = new byte[bytes];
            guest.memory().read(receiveGpa + offset, content);
            if (message.getInt(4) == 1) {
                controls.add(content);
                continue;
            }
            ByteBuffer rndis = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
            assertThat(rndis.getInt(0)).isEqualTo(1);
            assertThat(rndis.getInt(4)).isEqualTo(bytes);
            joined.write(content, 8 + rndis.getInt(8), rndis.getInt(12));
            int id = -1;
            for (int at = 8 + rndis.getInt(28), end = at + rndis.getInt(32); at < end; at += rndis.getInt(at)) {
                int value = rndis.getInt(at + rndis.getInt(at + 8));
                switch (rndis.getInt(at + 4)) {
                    case 0 -> checksum = value;
                    case 6 -> vlan = value >>> 4 & 0xFFF;
                    case 8 -> hash = value;
                    case 0x8000_0001 -> id = value;
                    default -> throw new AssertionError("info " + rndis.getInt(at + 4));
                }
            }
            if (ranges > 1) {
                int flags = 1 | (i == 0 ? 2 : 0) | (i == ranges - 1 ? 4 : 0);
                assertThat(id).isEqualTo(1 | flags << 8);
            }
        }
        if (message.getInt(4) == 0) {
            received.add(new Received(joined.toByteArray(), checksum, vlan, hash, ranges));
        }
        Runnable done = () -> from.complete(
                packet.transactionId(), little(8).putInt(0, 108).putInt(4, 1).array());
        if (holding) {
            held.add(done);
        } else {
            done.run();
        }
    }

    /** Frames that have come. */
    List<Received> received() {
        poll();
        var all = List.copyOf(received);
        received.clear();
        return all;
    }

    /** RNDIS messages that nobody waited for. */
    @Nullable
    ByteBuffer told() {
        poll();
        return controls.isEmpty()
                ? null
                : ByteBuffer.wrap(controls.removeFirst()).order(ByteOrder.LITTLE_ENDIAN);
    }
}
