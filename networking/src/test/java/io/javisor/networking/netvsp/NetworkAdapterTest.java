package io.javisor.networking.netvsp;

import static io.javisor.networking.frame.Frames.A;
import static io.javisor.networking.frame.Frames.B;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.Frames;
import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.frame.Segments;
import io.javisor.networking.vswitch.PortSettings;
import io.javisor.networking.vswitch.Recorder;
import io.javisor.networking.vswitch.SwitchPort;
import io.javisor.networking.vswitch.VirtualSwitch;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.vmbus.guest.GuestChannel;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.VmBusVersion;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The adapter behind a bus, driven by packets as Linux's netvsc sends them. */
@SuppressWarnings("ByteBufferBackingArray") // allocated here
class NetworkAdapterTest {
    private static final int WAITING = 300;

    private final TestGuest guest = new TestGuest(4, 32 << 20);
    private final VirtualSwitch net = new VirtualSwitch("test", VirtualSwitch.AGE, () -> 0);
    private final Recorder peer = new Recorder();
    private final SwitchPort peerPort = net.connect("peer", PortSettings.uplink(), peer);
    private NetworkAdapter adapter = new NetworkAdapter(0, A, 9000, 3);
    private final SwitchPort port = net.connect("guest", PortSettings.guest(A), adapter);

    @AfterEach
    void close() {
        guest.close();
    }

    private GuestNic boot() {
        adapter.plug(port);
        guest.bus().add(adapter);
        guest.connect(VmBusVersion.V5_3);
        return new GuestNic(guest, adapter);
    }

    private GuestNic started() {
        return boot().start(0x6_0001, 1500);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 0x3_0002, 0x4_0000, 0x5_0000, 0x6_0000, 0x6_0001})
    void everyVersionStarts(int version) {
        GuestNic nic = boot();
        assertThat(nic.negotiate(0x7_0000)).isFalse();
        nic.start(version, 1500);
        nic.send(GuestNic.packet(Frames.plain(B, A, "hello").toByteArray(), -1, 0));
        assertThat(peer.texts()).containsExactly("hello");
        assertThat(guest.failures()).isEmpty();
    }

    @Test
    void theAdapterSaysWhatItIs() {
        GuestNic nic = started();
        assertThat(nic.query(0x0101_0101).array()).contains(A.toByteArray());
        assertThat(nic.query(0x0001_0106).getInt(0)).as("MTU").isEqualTo(9000);
        assertThat(nic.query(0x0001_0114).getInt(0)).as("connected").isZero();
        ByteBuffer offloads = nic.query(0xFC01_020D);
        assertThat(offloads.capacity()).isEqualTo(156);
        assertThat(offloads.get(0) & 0xFF).isEqualTo(0xA7);
        assertThat(offloads.getInt(8) & 0x14)
                .as("TCP checksums, as Linux asks for them")
                .isEqualTo(0x14);
        ByteBuffer queues = nic.query(0x0001_0203);
        assertThat(queues.getInt(12)).isEqualTo(4);
        ByteBuffer unknown = nic.rndis(4, GuestNic.little(16).putInt(0, 0x1234).putInt(8, 20));
        assertThat(unknown.getInt(12)).isEqualTo(0xC000_00BB);
        assertThat(nic.rndis(8, GuestNic.little(0)).getInt(12)).as("keep alive").isZero();
    }

    @Test
    void framesComeFromTheSendBufferFromPagesAndFromBoth() {
        GuestNic nic = started();
        byte[] packet =
                GuestNic.packet(Frames.plain(B, A, "hello " + "x".repeat(1000)).toByteArray(), -1, 0);
        nic.send(3, packet);
        nic.send(packet);
        nic.sendPartly(41, packet, 44);
        nic.sendPartly(0, packet, 500);
        assertThat(peer.texts()).hasSize(4).allMatch(t -> t.length() == 1006 && t.startsWith("hello"));
        nic.poll();
        assertThat(nic.statuses).endsWith(1, 1, 1, 1);
    }

    @Test
    void packetsThatAreSentTogetherAreTakenApart() {
        GuestNic nic = started();
        ByteBuffer both = GuestNic.little(2 * 104);
        for (int i = 0; i < 2; i++) {
            byte[] one = GuestNic.packet(Frames.plain(B, A, "number " + i).toByteArray(), -1, 0);
            both.put(104 * i, one).putInt(104 * i + 4, 104);
        }
        nic.send(0, both.array());
        assertThat(peer.texts()).containsExactly("number 0", "number 1");
    }

    @Test
    void openChecksumsAreClosedForWires() {
        GuestNic nic = started();
        Frame frame = Frames.tcp(B, A, "10.0.0.1", 1, "10.0.0.2", 2, 3, 4, 0x10, Frames.random(100));
        frame.putShort(50, 0x1234); // whatever the guest leaves there
        nic.send(GuestNic.packet(frame.toByteArray(), 0, 1 | 1 << 2 | 34 << 16));
        assertThat(peer.frames).hasSize(1);
        assertThat(Checksums.isRight(peer.frames.getFirst())).isTrue();
    }

    @Test
    void largePacketsAreCutForWires() {
        GuestNic nic = started();
        byte[] content = Frames.random(60_000);
        Frame frame = new Frame();
        frame.copyOf(Frames.tcp(B, A, "10.0.0.1", 1, "10.0.0.2", 2, 3, 4, 0x10, content));
        frame.putShort(16, 0); // as Linux leaves the total length
        nic.send(GuestNic.packet(frame.toByteArray(), 2, 1460 | 34 << 20 | 1 << 30));
        assertThat(peer.frames).hasSize(42);
        peer.frames.forEach(
                f -> assertThat(Checksums.isRight(f) && f.length() <= 1514).isTrue());
        assertThat(peer.frames.stream().mapToInt(f -> f.length() - f.payload()).sum())
                .isEqualTo(60_000);
    }

    @Test
    void tagsComeAndGoBesideTheFrame() {
        GuestNic nic = started();
        port.change(PortSettings.guest(A).trunk(java.util.Set.of(10), 0));
        peerPort.change(PortSettings.uplink().trunk(java.util.Set.of(10), 0));
        nic.send(GuestNic.packet(Frames.plain(B, A, "hello").toByteArray(), 6, 10 << 4));
        assertThat(peer.texts()).containsExactly("10:hello");
        Frame answer = Frames.plain(A, B, "answer");
        answer.setVlan(10, 0);
        peerPort.send(answer);
        assertThat(nic.received().getFirst().vlan()).isEqualTo(10);
    }

    @Test
    void theGuestReceives() {
        GuestNic nic = started();
        Frame plain = Frames.plain(A, B, "hello");
        peerPort.send(plain);
        Frame open = Frames.tcp(A, B, "10.0.0.2", 1, "10.0.0.1", 2, 3, 4, 0x10, Frames.random(100));
        Checksums.open(open);
        peerPort.send(open);
        List<GuestNic.Received> got = nic.received();
        assertThat(got).hasSize(2);
        assertThat(got.get(0).bytes()).isEqualTo(plain.toByteArray());
        assertThat(got.get(0).checksum()).as("the guest looks itself").isZero();
        assertThat(got.get(1).checksum()).as("TCP is right").isEqualTo(1 << 3);
        Frame dhcp = Frames.udp(A, B, "10.0.0.2", 67, "10.0.0.1", 68, Frames.random(100));
        byte[] closed = dhcp.toByteArray();
        Checksums.open(dhcp);
        peerPort.send(dhcp);
        got = nic.received();
        assertThat(got.getFirst().bytes()).as("DHCP clients look at the bytes").isEqualTo(closed);
        assertThat(guest.failures()).isEmpty();
    }

    @Test
    void nothingIsReceivedBeforeTheGuestWantsIt() {
        GuestNic nic = started();
        assertThat(nic.set(0x0001_010E, GuestNic.little(4))).isZero();
        peerPort.send(Frames.plain(A, B, "hello"));
        assertThat(nic.received()).isEmpty();
    }

    @Test
    void largePacketsComeInPartsIfTheGuestTakesThem() {
        GuestNic nic = started();
        byte[] content = Frames.random(50_000);
        Frame frame = new Frame();
        frame.copyOf(Frames.tcp(A, B, "10.0.0.2", 1, "10.0.0.1", 2, 3, 4, 0x10, content));
        frame.setMss(1460);
        Segments.setLengths(frame);
        byte[] whole = frame.toByteArray();
        peerPort.send(frame);
        assertThat(nic.received()).as("cut").hasSize(35).allMatch(r -> r.parts() == 1);
        ByteBuffer parameters =
                GuestNic.little(32).put(0, (byte) 0x80).put(1, (byte) 3).putShort(2, (short) 32);
        parameters.put(22, (byte) 2).put(23, (byte) 2);
        assertThat(nic.set(0xFC01_020C, parameters)).isZero();
        peerPort.send(frame);
        List<GuestNic.Received> got = nic.received();
        assertThat(got).hasSize(1);
        assertThat(got.getFirst().parts()).isGreaterThan(20);
        assertThat(got.getFirst().bytes()).isEqualTo(whole);
    }

    @Test
    void sectionsAreUsedAgainOnlyAfterTheGuestHasCompletedThem() {
        GuestNic nic = started();
        nic.holding = true;
        int more = 40;
        for (int i = 0; i < nic.sections + more; i++) {
            peerPort.send(Frames.plain(A, B, "frame " + i));
            nic.poll();
        }
        assertThat(nic.received()).hasSize(nic.sections);
        nic.holding = false;
        nic.held.forEach(Runnable::run);
        List<GuestNic.Received> rest = nic.received();
        assertThat(rest).hasSize(more);
        assertThat(new String(rest.getLast().bytes(), 14, 20, StandardCharsets.UTF_8))
                .startsWith("frame " + (nic.sections + more - 1));
        assertThat(adapter.framesLost()).isZero();
        nic.holding = true;
        for (int i = 0; i < 40_000; i++) {
            peerPort.send(Frames.plain(A, B, "flood"));
        }
        assertThat(adapter.framesLost()).as("what waits is bounded").isPositive();
    }

    @Test
    void queuesAreOpenedAndPacketsSpread() {
        GuestNic nic = started();
        ByteBuffer answer =
                nic.ask(GuestNic.little(40).putInt(0, 133).putInt(4, 1).putInt(8, 3));
        assertThat(answer.getInt(4)).isEqualTo(1);
        assertThat(answer.getInt(8)).isEqualTo(3);
        for (int i = 1; i <= 3; i++) {
            nic.all.add(guest.open(guest.offerOf(adapter.offer(), i), 16, 16, i));
        }
        assertThat(adapter.openQueues()).isEqualTo(4);
        ByteBuffer spread = GuestNic.little(40 + 512 + 40)
                .put(0, (byte) 0x89)
                .put(1, (byte) 2)
                .putShort(2, (short) 40);
        spread.putInt(8, 0x1F01)
                .putShort(12, (short) 512)
                .putInt(16, 40)
                .putShort(20, (short) 40)
                .putInt(24, 552);
        for (int i = 0; i < 128; i++) {
            spread.putInt(40 + 4 * i, i % 4);
        }
        byte[] key = Frames.random(40);
        spread.put(552, key);
        assertThat(nic.set(0x0001_0204, spread)).isZero();
        var used = new java.util.HashSet<Integer>();
        var toeplitz = new Toeplitz(key);
        for (int flow = 0; flow < 64; flow++) {
            Frame frame = Frames.tcp(A, B, "10.0.0.2", 1000 + flow, "10.0.0.1", 80, 0, 0, 0x10, new byte[10]);
            peerPort.send(frame);
            List<GuestNic.Received> got = nic.received();
            assertThat(got).hasSize(1);
            assertThat(got.getFirst().hash()).isEqualTo(toeplitz.hash(frame));
            used.add(toeplitz.hash(frame) & 3);
        }
        assertThat(used).hasSize(4);
        for (GuestChannel channel : nic.all) {
            nic.send(
                    channel,
                    GuestNic.packet(
                            Frames.plain(B, A, "from " + channel.relId()).toByteArray(), -1, 0));
        }
        assertThat(peer.texts()).hasSize(4);
        assertThat(nic.set(0x0001_0204, spread.putInt(40, 4)))
                .as("no such queue")
                .isNotZero();
        assertThat(guest.failures()).isEmpty();
    }

    @Test
    void theHashIsThatOfTheSpecification() {
        // Microsoft's verification suite for receive-side scaling.
        var toeplitz = new Toeplitz(
                Frames.hex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa"));
        Frame tcp = Frames.tcp(A, B, "66.9.149.187", 2794, "161.142.100.80", 1766, 0, 0, 0x10, new byte[0]);
        assertThat(toeplitz.hash(tcp)).isEqualTo(0x51CC_C178);
        Frame udp = Frames.udp(A, B, "66.9.149.187", 2794, "161.142.100.80", 1766, new byte[0]);
        assertThat(toeplitz.hash(udp)).as("addresses only").isEqualTo(0x323E_8FC2);
    }

    @Test
    void theMediumComesAndGoes() {
        GuestNic nic = started();
        adapter.setConnected(false);
        guest.run();
        ByteBuffer told = Objects.requireNonNull(nic.told());
        assertThat(told.getInt(0)).isEqualTo(7);
        assertThat(told.getInt(8)).isEqualTo(0x4001_000C);
        assertThat(nic.query(0x0001_0114).getInt(0)).isEqualTo(1);
        adapter.setConnected(true);
        guest.run();
        assertThat(Objects.requireNonNull(nic.told()).getInt(8)).isEqualTo(0x4001_000B);
        adapter.setConnected(true);
        guest.run();
        assertThat(nic.told()).isNull();
    }

    @Test
    void theAddressIsTheHostsToChange() {
        GuestNic nic = started();
        byte[] name = "NetworkAddress".getBytes(java.nio.charset.StandardCharsets.UTF_16LE);
        byte[] value = "02000000000c".getBytes(java.nio.charset.StandardCharsets.UTF_16LE);
        ByteBuffer parameter =
                GuestNic.little(20 + name.length + value.length).putInt(0, 20).putInt(4, name.length);
        parameter.putInt(8, 2).putInt(12, 20 + name.length).putInt(16, value.length);
        parameter.put(20, name).put(20 + name.length, value);
        assertThat(nic.set(0x0001_021B, parameter)).isNotZero();
        assertThat(adapter.mac()).isEqualTo(A);
        port.change(PortSettings.guest(A).guards(true, true, true));
        assertThat(nic.set(0x0001_021B, parameter)).isZero();
        assertThat(adapter.mac()).isEqualTo(MacAddress.parse("02:00:00:00:00:0c"));
    }

    @Test
    void aPortWithAMaximumHoldsTheGuestsPacketsBack() {
        GuestNic nic = started();
        port.change(PortSettings.guest(A).bandwidth(80_000, 1)); // 10 kB/s
        nic.statuses.clear();
        byte[] packet = GuestNic.packet(Frames.plain(B, A, "x".repeat(1400)).toByteArray(), -1, 0);
        for (int i = 0; i < 200; i++) {
            nic.send(1, packet);
            nic.poll();
        }
        assertThat(nic.statuses.size())
                .as("completed at once: those of the burst")
                .isEqualTo((128 << 10) / 1414);
        guest.advance(java.time.Duration.ofSeconds(60));
        nic.poll();
        assertThat(nic.statuses).hasSize(200);
    }

    @Test
    void nonsenseIsRefusedOrClosesTheChannel() {
        GuestNic nic = started();
        nic.statuses.clear();
        byte[] packet = GuestNic.packet(Frames.plain(B, A, "hello").toByteArray(), 0, 0);
        for (int[] change :
                new int[][] {{4, 10}, {4, 1 << 30}, {8, -1}, {8, 5000}, {12, 1 << 20}, {28, -4}, {32, 4000}, {44, 2}}) {
            byte[] bad = packet.clone();
            ByteBuffer.wrap(bad).order(java.nio.ByteOrder.LITTLE_ENDIAN).putInt(change[0], change[1]);
            nic.send(0, bad);
            nic.poll();
        }
        assertThat(nic.statuses).hasSize(8).containsOnly(5);
        assertThat(peer.frames).isEmpty();
        nic.send(1_000_000, Arrays.copyOf(packet, 0));
        guest.run();
        assertThat(guest.failures()).hasSize(1).first().asString().contains("section 1000000");
    }

    @Test
    void completionsOfWhatWasNotSentCloseTheChannel() {
        GuestNic nic = started();
        nic.channel.complete(3, new byte[8]);
        assertThat(guest.failures()).hasSize(1).first().asString().contains("not under way");
    }

    @Test
    void buffersAreGivenBack() {
        GuestNic nic = started();
        nic.channel.send(
                999,
                GuestNic.little(40).putInt(0, 103).putShort(4, (short) 0xCAFE).array(),
                false);
        peerPort.send(Frames.plain(A, B, "lost"));
        assertThat(nic.received()).isEmpty();
        nic.channel.takeBack(nic.receiveGpadl);
        peerPort.send(Frames.plain(A, B, "lost too"));
        nic.lendBuffers();
        peerPort.send(Frames.plain(A, B, "found"));
        assertThat(nic.received()).hasSize(1);
        nic.channel.close();
        GuestNic again = new GuestNic(guest, adapter).start(0x5_0000, 9000);
        assertThat(again.sectionBytes).as("room for jumbo frames").isGreaterThan(9014 + 44);
        peerPort.send(Frames.plain(A, B, "x".repeat(9000)));
        assertThat(again.received()).hasSize(1);
        assertThat(guest.failures()).isEmpty();
    }

    private byte[] receiveBuffer(GuestNic nic) {
        byte[] all = new byte[GuestNic.RECEIVE_BYTES];
        guest.memory().read(nic.receiveGpa, MemorySegment.ofArray(all));
        return all;
    }

    @Test
    void nothingIsWrittenWhileTheMachineStandsStill() {
        GuestNic nic = started();
        peerPort.send(Frames.plain(A, B, "in a section already"));
        guest.pause();
        byte[] before = receiveBuffer(nic);
        for (int i = 0; i < 50; i++) {
            peerPort.send(Frames.plain(A, B, "frame " + i));
        }
        guest.run();
        assertThat(receiveBuffer(nic)).isEqualTo(before);
        guest.bus().resume();
        assertThat(nic.received()).hasSize(51);
        assertThat(receiveBuffer(nic)).isNotEqualTo(before);
        assertThat(adapter.framesLost()).isZero();
    }

    /** A guest whose ring is full: some frames wait in sections of its buffer, and it has not been told of them. */
    private GuestNic full() {
        adapter.plug(port);
        guest.bus().add(adapter);
        guest.connect(VmBusVersion.V5_3);
        GuestNic nic = new GuestNic(guest, guest.open(adapter.offer(), 32, 2)).start(0x6_0001, 1500);
        nic.holding = true;
        for (int i = 0; i < WAITING; i++) {
            peerPort.send(Frames.plain(A, B, "frame " + i));
        }
        guest.run();
        return nic;
    }

    @Test
    void framesWaitInSectionsUntilTheRingHasRoom() {
        GuestNic nic = full();
        List<GuestNic.Received> got = nic.received();
        assertThat(got).hasSize(WAITING);
        for (int i = 0; i < WAITING; i++) {
            assertThat(new String(got.get(i).bytes(), 14, 20, StandardCharsets.UTF_8))
                    .startsWith("frame " + i + "\0");
        }
        assertThat(adapter.framesLost()).isZero();
    }

    @Test
    void sectionsWithFramesThatWaitGoWithTheBuffer() {
        GuestNic nic = full();
        nic.channel.takeBack(nic.receiveGpadl);
        byte[] before = receiveBuffer(nic);
        peerPort.send(Frames.plain(A, B, "lost"));
        int told = nic.received().size();
        assertThat(told).isBetween(1, WAITING - 1);
        assertThat(receiveBuffer(nic)).isEqualTo(before);
        nic.lendBuffers();
        for (int i = 0; i < nic.sections; i++) {
            peerPort.send(Frames.plain(A, B, "again " + i));
            nic.poll();
        }
        assertThat(nic.received()).as("all sections").hasSize(nic.sections);
        assertThat(adapter.framesLost()).as("those in sections, and one").isEqualTo(WAITING - told + 1);
        assertThat(guest.failures()).isEmpty();
    }

    @Test
    void aGuestThatCompletesWhatItWasNotToldOfIsRefused() {
        GuestNic nic = full();
        nic.channel.complete(WAITING - 1, new byte[8]);
        assertThat(guest.failures()).hasSize(1).first().asString().contains("not under way");
    }

    @Test
    void framesThatWaitAreLeftOutOfTheState() {
        GuestNic nic = full();
        guest.pause();
        restore();
        int told = nic.received().size();
        assertThat(told).isBetween(1, WAITING - 1);
        nic.held.forEach(Runnable::run);
        for (int i = 0; i < nic.sections; i++) {
            peerPort.send(Frames.plain(A, B, "again " + i));
            nic.poll();
        }
        assertThat(nic.received()).as("all sections").hasSize(nic.sections);
        assertThat(guest.failures()).isEmpty();
    }

    /** Saves the machine, which stands still, and restores it with another adapter. */
    private void restore() {
        var out = new StateWriter();
        guest.bus().save(out);
        guest.replaceBus();
        adapter = new NetworkAdapter(0, B, 9000, 3);
        SwitchPort newPort = net.connect("restored", PortSettings.guest(A), adapter);
        port.close();
        adapter.plug(newPort);
        guest.bus().add(adapter);
        guest.bus().restore(new StateReader("vmbus", 1, out.toByteArray()));
        guest.bus().resume();
        guest.run();
    }

    @Test
    void theStateIsSavedInTheMiddleOfItsWork() {
        GuestNic nic = started();
        nic.holding = true;
        for (int i = 0; i < 5; i++) {
            peerPort.send(Frames.plain(A, B, "before " + i));
        }
        nic.poll();
        guest.pause();
        restore();
        assertThat(adapter.mac()).isEqualTo(A);
        assertThat(nic.received()).hasSize(5);
        nic.holding = false;
        nic.held.forEach(Runnable::run); // of what was sent before
        peerPort.send(Frames.plain(A, B, "after"));
        assertThat(nic.received()).hasSize(1);
        nic.send(GuestNic.packet(Frames.plain(B, A, "and back").toByteArray(), -1, 0));
        assertThat(peer.texts()).containsExactly("and back");
        assertThat(nic.query(0x0001_010E).getInt(0)).as("packet filter").isEqualTo(0xB);
        nic.holding = true;
        for (int i = 0; i < nic.sections; i++) {
            peerPort.send(Frames.plain(A, B, "all sections are there"));
        }
        assertThat(nic.received()).hasSize(nic.sections);
        assertThat(guest.failures()).isEmpty();
    }

    @Test
    void impossibleAdaptersAreRefused() {
        assertThatThrownBy(() -> new NetworkAdapter(8, A, 1500, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new NetworkAdapter(0, A, 9001, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new NetworkAdapter(0, A, 1500, 64)).isInstanceOf(IllegalArgumentException.class);
    }
}
