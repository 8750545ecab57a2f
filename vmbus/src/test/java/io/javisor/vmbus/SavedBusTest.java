package io.javisor.vmbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.vmbus.channel.Channel;
import io.javisor.vmbus.guest.GuestChannel;
import io.javisor.vmbus.guest.GuestRange;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.GuestMessage;
import io.javisor.vmbus.protocol.HostMessage;
import io.javisor.vmbus.protocol.VmBusVersion;
import io.javisor.vmbus.ring.PageRuns;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The bus is saved in the middle of its work and goes on in another bus, of which the guest notices nothing. */
class SavedBusTest {
    private final TestGuest guest = new TestGuest(2, 8 << 20);
    private EchoDevice device = new EchoDevice(1);
    private EchoDevice other = new EchoDevice(2);

    @AfterEach
    void close() {
        guest.close();
    }

    private GuestChannel open(int pages) {
        guest.bus().add(device);
        guest.bus().add(other);
        guest.connect(VmBusVersion.V5_3);
        return guest.open(device.offer(), pages, pages);
    }

    private byte[] save() {
        guest.pause();
        StateWriter out = new StateWriter();
        guest.bus().save(out);
        return out.toByteArray();
    }

    private void move() {
        byte[] saved = save();
        VmBus bus = guest.replaceBus();
        long received = device.received;
        device = new EchoDevice(1);
        other = new EchoDevice(2);
        bus.add(device);
        bus.add(other);
        bus.restore(new StateReader("vmbus", 1, saved));
        assertThat(device.received).isEqualTo(received);
        bus.resume();
    }

    @Test
    void trafficLosesAndDoublesNothing() {
        GuestChannel channel = open(4);
        Random random = new Random(3);
        long sent = 0;
        long answered = 0;
        for (int round = 0; round < 3_000; round++) {
            switch (random.nextInt(20)) {
                case 0 -> move();
                case 1, 2, 3, 4, 5, 6, 7, 8, 9 -> {
                    byte[] payload = new byte[8 + random.nextInt(500)];
                    payload[0] = (byte) sent;
                    if (channel.trySend(sent, payload, true)) {
                        sent++;
                        channel.publish();
                    }
                }
                default -> {
                    var answer = channel.tryReceive();
                    if (answer != null) {
                        assertThat(answer.transactionId()).isEqualTo(answered);
                        assertThat(answer.payload()[0]).isEqualTo((byte) answered);
                        answered++;
                    }
                }
            }
        }
        while (answered < sent) {
            assertThat(channel.receive().transactionId()).isEqualTo(answered++);
        }
        assertThat(channel.tryReceive()).isNull();
        assertThat(sent).isGreaterThan(500);
        assertThat(device.received).isEqualTo(sent);
        assertThat(guest.failures()).isEmpty();
    }

    @Test
    void answersThatFoundNoRoomAreSavedToo() {
        device.maxHeld = 64;
        device.hold = true;
        GuestChannel channel = open(2);
        for (int i = 0; i < 50; i++) {
            channel.send(i, new byte[200], true);
        }
        for (int i = 0; i < 50; i++) {
            device.finishOne();
        }
        byte[] saved = save();
        VmBus bus = guest.replaceBus();
        device = new EchoDevice(1);
        device.maxHeld = 64;
        bus.add(device);
        bus.restore(new StateReader("vmbus", 1, saved));
        bus.resume();
        for (int i = 0; i < 50; i++) {
            assertThat(channel.receive().transactionId()).isEqualTo(i);
        }
    }

    @Test
    void aPauseWaitsForWhatDevicesHold() {
        device.hold = true;
        GuestChannel channel = open(4);
        channel.send(1, new byte[8], true);
        var quiet = guest.bus().quiesce();
        guest.run();
        assertThat(quiet).isNotDone();
        channel.send(2, new byte[8], true);
        assertThat(device.heldPackets).as("no new ones").hasSize(1);
        device.finishOne();
        guest.run();
        assertThat(quiet).isDone();
        guest.bus().resume();
        guest.run();
        assertThat(device.heldPackets).hasSize(1);
        assertThat(channel.receive().transactionId()).isEqualTo(1);
    }

    @Test
    void nothingIsSentWhilePausedAndTheDeviceIsToldAfterwards() {
        GuestChannel channel = open(4);
        Channel host = device.channels.getFirst();
        guest.pause();
        assertThat(host.send(1, false, MemorySegment.ofArray(new byte[8]))).isFalse();
        guest.bus().resume();
        guest.run();
        assertThat(device.writable).isEqualTo(1);
        assertThat(host.send(1, false, MemorySegment.ofArray(new byte[8]))).isTrue();
        assertThat(channel.receive().transactionId()).isEqualTo(1);
    }

    @Test
    void lentMemoryAndItsTeardownSurvive() {
        GuestChannel channel = open(4);
        long gpa = guest.allocate(10 * PageRuns.PAGE);
        int gpadl = channel.lend(List.of(GuestRange.of(gpa + 16, 100), GuestRange.of(gpa + 8192, 8192)));
        // Another one has come in by half.
        List<Long> words = new ArrayList<>();
        words.add(40 * 4096L);
        for (int i = 0; i < 40; i++) {
            words.add(TestGuest.MEMORY / 4096 + i);
        }
        guest.post(new GuestMessage.GpadlHeader(channel.relId(), 777, 41 * 8, 1, words.subList(0, 26)));
        guest.run();
        move();
        guest.post(new GuestMessage.GpadlBody(0, 777, words.subList(26, 41)));
        assertThat(guest.expect(HostMessage.GpadlCreated.class, m -> m.gpadl() == 777)
                        .status())
                .isZero();
        Channel host = device.channels.getFirst();
        host.gpadl(gpadl).write(100, MemorySegment.ofArray(new byte[] {9}));
        assertThat(guest.memory().getByte(gpa + 8192)).isEqualTo((byte) 9);
        channel.takeBack(gpadl);
        channel.close();
        guest.open(device.offer(), 4, 4);
    }

    @Test
    void messagesOnTheirWayArriveOnceAndInOrder() {
        GuestChannel channel = open(4);
        guest.forget();
        for (int i = 0; i < 5; i++) {
            guest.post(new GuestMessage.GpadlTeardown(channel.relId(), 100 + i));
        }
        guest.reactor().run(); // answers queue behind the first, which sits in its slot
        var quiet = guest.bus().quiesce();
        guest.reactor().run();
        assertThat(quiet).isDone();
        for (int i = 5; i < 8; i++) {
            guest.post(new GuestMessage.GpadlTeardown(channel.relId(), 100 + i)); // taken, not handled
        }
        guest.reactor().run();
        StateWriter saved = new StateWriter();
        guest.bus().save(saved);
        guest.bus().close();
        guest.reactor().run();
        VmBus bus = new VmBus(guest.memory(), guest.synIc(), List.of(guest.reactor()), new VmBusListener() {});
        bus.add(new EchoDevice(1));
        bus.add(new EchoDevice(2));
        bus.restore(new StateReader("vmbus", 1, saved.toByteArray()));
        bus.resume();
        for (int i = 0; i < 8; i++) {
            int id = 100 + i;
            var message = guest.expect(HostMessage.GpadlTorndown.class, m -> true);
            assertThat(message.gpadl()).isEqualTo(id);
        }
        assertThat(guest.unread()).isEmpty();
        bus.close();
    }

    @Test
    void aFailedChannelStaysFailedUntilItIsReopened() {
        GuestChannel channel = open(4);
        guest.memory().putInt(channel.ringGpa(), 3);
        channel.signal();
        guest.run();
        guest.memory().putInt(channel.ringGpa(), 0);
        guest.failures().clear();
        move();
        guest.run();
        assertThat(device.channels).isEmpty();
        channel.close();
        GuestChannel again = guest.open(device.offer(), 4, 4);
        again.send(1, new byte[8], true);
        assertThat(again.receive().transactionId()).isEqualTo(1);
    }

    @Test
    void subChannelsSurviveAndSocketsAreRescinded() {
        GuestChannel primary = open(4);
        device.channels.getFirst().offerSubChannels(1);
        GuestChannel sub = guest.open(guest.offerOf(device.offer(), 1), 4, 4, 1);
        EchoDevice socket = new EchoDevice(9);
        guest.bus().addTransient(socket);
        GuestChannel brief = guest.open(socket.offer(), 4, 4);
        move();
        sub.send(5, new byte[8], true);
        assertThat(sub.receive().transactionId()).isEqualTo(5);
        primary.send(6, new byte[8], true);
        assertThat(primary.receive().transactionId()).isEqualTo(6);
        guest.expect(HostMessage.RescindOffer.class, m -> m.relId() == brief.relId());
        brief.close();
        guest.post(new GuestMessage.RelIdReleased(brief.relId()));
        guest.run();
        assertThat(guest.failures()).isEmpty();
    }

    @Test
    void aDeviceThatIsGoneIsRescindedAndANewOneOffered() {
        GuestChannel channel = open(4);
        byte[] saved = save();
        VmBus bus = guest.replaceBus();
        bus.add(new EchoDevice(2));
        EchoDevice fresh = new EchoDevice(3);
        bus.add(fresh);
        bus.restore(new StateReader("vmbus", 1, saved));
        bus.resume();
        guest.expect(HostMessage.RescindOffer.class, m -> m.relId() == channel.relId());
        channel.close();
        guest.open(fresh.offer(), 4, 4);
    }

    @Test
    void whatADeviceSaidBeforeItsChannelStartedIsNotLost() {
        device.greet = true;
        GuestChannel first = open(4);
        assertThat(first.receive().transactionId()).isEqualTo(99);
        first.close();
        // The open is on its way when the pause begins.
        long gpa = guest.allocate(8 * PageRuns.PAGE);
        int gpadl = guest.createGpadl(first.relId(), List.of(GuestRange.of(gpa, 8 * PageRuns.PAGE)));
        PageRuns all = new PageRuns(guest.memory());
        all.add(gpa, 8 * PageRuns.PAGE);
        all.seal();
        new io.javisor.vmbus.ring.RingMemory(all.part(0, 4 * PageRuns.PAGE)).initialize();
        var downstream = new io.javisor.vmbus.ring.RingMemory(all.part(4 * PageRuns.PAGE, 4 * PageRuns.PAGE));
        downstream.initialize();
        guest.post(new GuestMessage.OpenChannel(first.relId(), 1, gpadl, 0, 4, io.javisor.vmbus.protocol.Octets.EMPTY));
        guest.reactor().runOne(); // the message is handled, the channel not opened
        move();
        guest.expect(HostMessage.OpenResult.class, m -> m.status() == 0);
        var packet = new io.javisor.vmbus.ring.PacketBuffer(4096);
        assertThat(new io.javisor.vmbus.ring.IncomingRing(downstream).next(packet))
                .isTrue();
        assertThat(packet.transactionId()).isEqualTo(99);
    }

    @Test
    void aGuestThatNeverConnectedStillCan() {
        guest.bus().add(device);
        move();
        guest.connect(VmBusVersion.V5_3);
        guest.open(device.offer(), 4, 4);
    }

    @Test
    void damagedStateIsRefusedOrHarmless() {
        GuestChannel channel = open(4);
        channel.lend(List.of(GuestRange.of(guest.allocate(8192), 8192)));
        byte[] saved = save();
        Random random = new Random(11);
        int refused = 0;
        for (int round = 0; round < 400; round++) {
            byte[] damaged = saved.clone();
            for (int i = 0; i <= random.nextInt(4); i++) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            VmBus bus = guest.replaceBus();
            bus.add(new EchoDevice(1));
            bus.add(new EchoDevice(2));
            try {
                bus.restore(new StateReader("vmbus", 1, damaged));
            } catch (StateException e) {
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(200);
        VmBus bus = guest.replaceBus();
        assertThatThrownBy(() -> bus.restore(new StateReader("vmbus", 2, saved)))
                .isInstanceOf(StateException.class);
    }
}
