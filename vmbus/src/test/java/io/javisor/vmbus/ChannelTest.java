package io.javisor.vmbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.HypervisorException;
import io.javisor.partition.synic.HvStatus;
import io.javisor.vmbus.bus.MessageQueues;
import io.javisor.vmbus.channel.Channel;
import io.javisor.vmbus.channel.ChannelRefusedException;
import io.javisor.vmbus.channel.ChannelTraffic;
import io.javisor.vmbus.channel.Packet;
import io.javisor.vmbus.guest.GuestChannel;
import io.javisor.vmbus.guest.GuestPacket;
import io.javisor.vmbus.guest.GuestRange;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.GuestMessage;
import io.javisor.vmbus.protocol.HostMessage;
import io.javisor.vmbus.protocol.VmBusVersion;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ChannelTest {
    private final TestGuest guest = new TestGuest(2, 4 << 20);
    private final EchoDevice device = new EchoDevice(1);

    @AfterEach
    void close() {
        guest.close();
    }

    private GuestChannel open(int pages) {
        guest.bus().add(device);
        guest.connect(VmBusVersion.V5_3);
        return guest.open(device.offer(), pages, pages);
    }

    @Test
    void aPacketIsAnsweredWithItsOwnPayload() {
        GuestChannel channel = open(4);
        channel.send(42, "hello".getBytes(StandardCharsets.UTF_8), true);
        assertThat(channel.wasSignalled()).isTrue();
        GuestPacket answer = channel.receive();
        assertThat(answer.isCompletion()).isTrue();
        assertThat(answer.transactionId()).isEqualTo(42);
        assertThat(new String(answer.payload(), StandardCharsets.UTF_8)).isEqualTo("hello\0\0\0");
        channel.close();
        assertThat(device.closed).isEqualTo(1);
        assertThat(guest.synIc().doorbells()).isZero();
        assertThat(guest.failures()).isEmpty();
    }

    @Test
    void aCompletionNobodyAskedForIsLeftOut() {
        GuestChannel channel = open(4);
        channel.send(1, new byte[8], false);
        channel.send(2, new byte[8], true);
        assertThat(channel.receive().transactionId()).isEqualTo(2);
        assertThat(channel.tryReceive()).isNull();
    }

    @Test
    void aBatchIsOneCallOneSignalOneInterrupt() {
        GuestChannel channel = open(16);
        long before = guest.synIc().interrupts();
        for (int i = 0; i < 32; i++) {
            assertThat(channel.trySend(i, new byte[64], true)).isTrue();
        }
        channel.flush();
        assertThat(channel.signals()).isEqualTo(1);
        assertThat(device.received).isEqualTo(32);
        assertThat(device.batches).isEqualTo(1);
        assertThat(guest.synIc().interrupts() - before).isEqualTo(1);
        for (int i = 0; i < 32; i++) {
            assertThat(channel.receive().transactionId()).isEqualTo(i);
        }
    }

    @Test
    void trafficIsCountedByDeviceAlsoOfChannelsThatAreClosed() {
        GuestChannel channel = open(16);
        for (int i = 0; i < 32; i++) {
            assertThat(channel.trySend(i, new byte[60], true)).isTrue();
        }
        long interrupts = guest.synIc().interrupts();
        channel.flush();
        interrupts = guest.synIc().interrupts() - interrupts;
        // 16 bytes of descriptor, and 60 of payload filled up to 64, there and back.
        assertThat(guest.bus().traffic())
                .containsExactly(Map.entry(
                        device.stateName(),
                        new ChannelTraffic(32, 32 * 80, 32, 32 * 80, channel.signals(), interrupts)));
        for (int i = 0; i < 32; i++) {
            channel.receive();
        }
        channel.close();

        GuestChannel again = guest.open(device.offer(), 4, 4);
        MemorySegment payload = MemorySegment.ofArray(new byte[8]);
        assertThat(device.channels.getFirst().send(1, false, payload)).isTrue();
        again.send(2, new byte[8], false); // is not answered
        assertThat(again.receive().payload()).hasSize(8);
        assertThat(guest.bus().traffic()).hasEntrySatisfying(device.stateName(), now -> {
            assertThat(now.packetsIn()).isEqualTo(33);
            assertThat(now.bytesIn()).isEqualTo(32 * 80 + 24);
            assertThat(now.packetsOut()).isEqualTo(33);
            assertThat(now.bytesOut()).isEqualTo(32 * 80 + 24);
        });
        assertThat(guest.failures()).isEmpty();
    }

    @Test
    void aDeviceThatHoldsAllItCanStopsTheRingUntilItFinishesOne() {
        device.maxHeld = 4;
        device.hold = true;
        GuestChannel channel = open(8);
        for (int i = 0; i < 10; i++) {
            channel.send(i, new byte[8], true);
        }
        assertThat(device.heldPackets).hasSize(4);
        for (int i = 0; i < 10; i++) {
            device.finishOne();
            assertThat(channel.receive().transactionId()).isEqualTo(i);
        }
        assertThat(channel.tryReceive()).isNull();
    }

    @Test
    void completionsFindAPlaceThoughTheGuestDoesNotRead() {
        device.maxHeld = 64;
        device.hold = true;
        GuestChannel channel = open(2); // one page of data
        int sent = 0;
        while (channel.trySend(sent, new byte[200], true)) {
            sent++;
            channel.flush();
            if (sent == 60) {
                break;
            }
        }
        assertThat(sent).isEqualTo(60);
        for (int i = 0; i < 60; i++) {
            device.finishOne(); // 60 × 224 bytes into 4,096
        }
        for (int i = 0; i < 60; i++) {
            GuestPacket answer = channel.receive();
            assertThat(answer.transactionId()).isEqualTo(i);
            assertThat(answer.payload()).hasSize(200);
        }
        assertThat(channel.signals()).as("the guest had to tell about room").isGreaterThan(1);
        assertThat(guest.failures()).isEmpty();
    }

    @Test
    void aDeviceIsToldWhenThereIsRoomAgain() {
        GuestChannel channel = open(2);
        Channel host = device.channels.getFirst();
        MemorySegment payload = MemorySegment.ofArray(new byte[512]);
        int sent = 0;
        while (host.send(sent, false, payload)) {
            sent++;
        }
        guest.run();
        assertThat(sent).isEqualTo(7);
        assertThat(device.writable).isZero();
        assertThat(host.isDrained()).isFalse();
        for (int i = 0; i < sent; i++) {
            assertThat(channel.receive().transactionId()).isEqualTo(i);
        }
        guest.run();
        assertThat(device.writable).isEqualTo(1);
        assertThat(host.isDrained()).isTrue();
        assertThat(host.send(7, false, payload)).isTrue();
        assertThat(channel.receive().transactionId()).isEqualTo(7);
        assertThatThrownBy(() -> host.send(8, false, MemorySegment.ofArray(new byte[host.maxPayload() + 1])))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(host.send(8, false, MemorySegment.ofArray(new byte[host.maxPayload()])))
                .isTrue();
        assertThat(channel.receive().payload()).hasSize(host.maxPayload());
    }

    @Test
    void gpaDirectPagesAreTheGuestsMemory() {
        device.hold = true;
        GuestChannel channel = open(4);
        long a = guest.allocate(3 * 4096);
        long gap = guest.allocate(4096);
        long b = guest.allocate(4096);
        channel.sendGpaDirect(9, new byte[] {1}, List.of(GuestRange.of(a + 100, 8192), GuestRange.of(b, 10)));
        Packet packet = device.heldPackets.peek();
        assertThat(packet.buffer().length()).isEqualTo(8202);
        assertThat(packet.buffer().count()).isEqualTo(2);
        packet.buffer().write(8191, MemorySegment.ofArray(new byte[] {11, 22}));
        assertThat(guest.memory().getByte(a + 100 + 8191)).isEqualTo((byte) 11);
        assertThat(guest.memory().getByte(b)).isEqualTo((byte) 22);
        assertThat(guest.memory().getByte(gap)).isZero();
        device.finishOne();
        assertThat(channel.receive().transactionId()).isEqualTo(9);
    }

    @Test
    void transferPagesNameAPageSet() {
        GuestChannel channel = open(4);
        Channel host = device.channels.getFirst();
        host.sendTransferPages(5, 0xCAFE, new int[] {100, 0, 200, 4096}, 2, MemorySegment.ofArray(new byte[40]));
        guest.run();
        GuestPacket packet = channel.receive();
        assertThat(packet.type()).isEqualTo(7);
        assertThat(packet.completionRequested()).isTrue();
        var header = io.javisor.vmbus.protocol.Wire.buffer(packet.header());
        assertThat(header.getInt()).isEqualTo(0xCAFE);
        assertThat(header.getInt()).isEqualTo(2);
        assertThat(List.of(header.getInt(), header.getInt(), header.getInt(), header.getInt()))
                .containsExactly(100, 0, 200, 4096);
        assertThat(packet.payload()).hasSize(40);
        channel.complete(5, new byte[8]);
        assertThat(device.received).as("the guest's completion is a packet too").isEqualTo(1);
    }

    @Test
    void lentMemoryIsThereUntilItIsTakenBack() {
        GuestChannel channel = open(4);
        long gpa = guest.allocate(64 * 4096);
        int gpadl = channel.lend(List.of(GuestRange.of(gpa, 64 * 4096)));
        Channel host = device.channels.getFirst();
        host.gpadl(gpadl).write(5, MemorySegment.ofArray(new byte[] {42}));
        assertThat(guest.memory().getByte(gpa + 5)).isEqualTo((byte) 42);
        channel.takeBack(gpadl);
        assertThat(device.released).containsExactly(gpadl);
        assertThatThrownBy(() -> host.gpadl(gpadl)).isInstanceOf(ChannelRefusedException.class);
    }

    @Test
    void memoryIsGivenBackOnlyWhenHeldPacketsAreFinished() {
        device.hold = true;
        GuestChannel channel = open(4);
        channel.send(1, new byte[8], true);
        guest.post(new GuestMessage.CloseChannel(channel.relId()));
        guest.post(new GuestMessage.GpadlTeardown(channel.relId(), channel.ringGpadl()));
        assertThat(guest.take(HostMessage.GpadlTorndown.class, m -> true)).isNull();
        assertThat(device.closed).isEqualTo(1);
        device.finishOne();
        guest.expect(HostMessage.GpadlTorndown.class, m -> m.gpadl() == channel.ringGpadl());
    }

    @Test
    void aDeviceThatNeverFinishesHoldsUpACloseForAMinute() {
        device.hold = true;
        GuestChannel channel = open(4);
        channel.send(1, new byte[8], true);
        guest.post(new GuestMessage.Unload());
        guest.advance(Duration.ofSeconds(59));
        assertThat(guest.take(HostMessage.UnloadResponse.class, m -> true)).isNull();
        guest.advance(Duration.ofSeconds(2));
        guest.expect(HostMessage.UnloadResponse.class, m -> true);
    }

    @Test
    void aPacketIsFinishedOnce() {
        device.hold = true;
        GuestChannel channel = open(4);
        channel.send(1, new byte[8], true);
        Packet packet = device.heldPackets.remove();
        packet.release();
        assertThatThrownBy(packet::release).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void packetsFinishedOnOtherThreadsAreAnswered() throws Exception {
        device.hold = true;
        device.maxHeld = 64;
        GuestChannel channel = open(16);
        for (int i = 0; i < 40; i++) {
            channel.send(i, new byte[8], true);
        }
        List<Thread> threads = new ArrayList<>();
        while (!device.heldPackets.isEmpty()) {
            Packet packet = device.heldPackets.remove();
            threads.add(Thread.ofVirtual().start(() -> packet.complete(MemorySegment.ofArray(new byte[16]))));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        List<Long> answered = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            answered.add(channel.receive().transactionId());
        }
        assertThat(answered).hasSize(40).doesNotHaveDuplicates();
    }

    @Test
    void aCorruptRingClosesItsChannelAndNoOther() {
        EchoDevice other = new EchoDevice(2);
        guest.bus().add(other);
        GuestChannel channel = open(4);
        GuestChannel healthy = guest.open(other.offer(), 4, 4);
        guest.memory().putInt(channel.ringGpa(), 12345);
        channel.signal();
        guest.run();
        assertThat(guest.failures()).singleElement().asString().contains("write index 12345");
        assertThat(device.closed).isEqualTo(1);
        healthy.send(1, new byte[8], true);
        assertThat(healthy.receive().transactionId()).isEqualTo(1);
        assertThat(channel.signal()).isEqualTo(HvStatus.INVALID_CONNECTION_ID);
        channel.close();
        GuestChannel again = guest.open(device.offer(), 4, 4);
        again.send(2, new byte[8], true);
        assertThat(again.receive().transactionId()).isEqualTo(2);
    }

    @Test
    void aDeviceThatThrowsLosesItsChannelOnly() {
        GuestChannel channel = open(4);
        device.failWith = new IndexOutOfBoundsException("field at 8 of 8");
        channel.send(1, new byte[8], true);
        assertThat(guest.failures()).containsExactly("field at 8 of 8");
        assertThat(device.closed).isEqualTo(1);
    }

    @Test
    void aPacketOfAnUnknownKindClosesTheChannel() {
        GuestChannel channel = open(4);
        channel.write(3, 0, 1, new byte[0], new byte[8]);
        channel.flush();
        assertThat(guest.failures()).containsExactly("packet of type 3");
    }

    @Test
    void aDeviceMayRefuseToBeOpened() {
        device.refuse = true;
        guest.bus().add(device);
        guest.connect(VmBusVersion.V5_3);
        assertThatThrownBy(() -> guest.open(device.offer(), 4, 4)).hasMessageContaining("open refused: 0xc0000001");
        device.refuse = false;
        guest.open(device.offer(), 4, 4);
    }

    @Test
    void subChannelsAreOfferedOpenedAndGoWithThePrimary() {
        GuestChannel primary = open(4);
        device.channels.getFirst().offerSubChannels(3);
        guest.run();
        assertThat(guest.offers()).hasSize(4);
        GuestChannel second = guest.open(guest.offerOf(device.offer(), 2), 4, 4, 1);
        assertThat(device.channels.getLast().subChannelIndex()).isEqualTo(2);
        assertThat(device.channels.getLast().targetVp()).isEqualTo(1);
        second.send(1, new byte[8], true);
        assertThat(second.receive().transactionId()).isEqualTo(1);
        second.close();
        primary.close();
        guest.run();
        assertThat(guest.offers()).hasSize(1);
    }

    @Test
    void aRescindedDeviceIsGoneAndItsIdComesBack() {
        DeviceOffer offer = guest.bus().add(device);
        guest.connect(VmBusVersion.V5_3);
        GuestChannel channel = guest.open(device.offer(), 4, 4);
        offer.close();
        offer.close();
        guest.expect(HostMessage.RescindOffer.class, m -> m.relId() == channel.relId());
        assertThat(device.closed).isEqualTo(1);
        channel.close();
        guest.post(new GuestMessage.RelIdReleased(channel.relId()));
        guest.run();
        guest.bus().add(device);
        assertThat(guest.offerOf(device.offer(), 0).relId()).isEqualTo(channel.relId());
    }

    @Test
    void twoDevicesCantBeTheSame() {
        guest.bus().add(device);
        assertThatThrownBy(() -> guest.bus().add(new EchoDevice(1)))
                .isInstanceOf(HypervisorException.class)
                .hasMessageContaining("instance");
    }

    @Test
    void aSecondKernelReconnectsOverTheFirst() {
        GuestChannel channel = open(4);
        channel.send(1, new byte[8], true);
        guest.connect(VmBusVersion.V4_1);
        assertThat(device.closed).isEqualTo(1);
        GuestChannel again = guest.open(device.offer(), 4, 4);
        assertThat(again.relId()).isEqualTo(channel.relId());
        again.send(2, new byte[8], true);
        assertThat(again.receive().transactionId()).isEqualTo(2);
        guest.unload();
        assertThat(guest.bus().version()).isNull();
        guest.connect(VmBusVersion.V5_3);
        guest.open(device.offer(), 4, 4);
    }

    @Test
    void messagesWaitForTheirSlotInOrder() {
        for (int i = 2; i < 30; i++) {
            guest.bus().add(new EchoDevice(i));
        }
        guest.bus().add(device);
        guest.contact(VmBusVersion.V5_3.code(), 1);
        guest.post(new GuestMessage.RequestOffers());
        guest.reactor().run(); // one message is in the slot of vCPU 1, the rest wait for EOM
        List<Integer> relIds = new ArrayList<>();
        byte[] message;
        while ((message = guest.synIc().guestTakes(1, 2)) != null) {
            if (HostMessage.decode(message) instanceof HostMessage.OfferChannel offer) {
                relIds.add(offer.relId());
            }
            guest.reactor().run();
        }
        assertThat(relIds).hasSize(29).isSorted();
        assertThat(guest.synIc().guestTakes(0, 2)).isNull();
    }

    @Test
    void aGuestThatNeverReadsItsSlotIsTakenNoMoreMessagesFrom() {
        guest.bus().add(device);
        guest.connect(VmBusVersion.V5_3);
        HvStatus status = HvStatus.SUCCESS;
        int posted = 0;
        while (status == HvStatus.SUCCESS && posted < 10_000) {
            status = guest.synIc().guestPosts(4, 1, new GuestMessage.GpadlTeardown(1, posted++).encode());
            guest.reactor().run();
        }
        assertThat(status).isEqualTo(HvStatus.INSUFFICIENT_BUFFERS);
        assertThat(posted).isEqualTo(MessageQueues.MAX_IN + MessageQueues.MAX_OUT + 2);
        assertThat(guest.synIc().guestPosts(4, 1, new GuestMessage.Unload().encode()))
                .isEqualTo(HvStatus.SUCCESS);
        guest.expect(HostMessage.UnloadResponse.class, m -> true);
        guest.connect(VmBusVersion.V5_3);
    }

    /** As a panicking guest does, whose other vCPUs are stopped. */
    @Test
    void unloadIsAnsweredThoughTheEomComesFromAnotherVcpu() {
        guest.connect(VmBusVersion.V5_3);
        guest.bus().add(device);
        guest.post(new GuestMessage.RequestOffers());
        guest.reactor().run();
        guest.post(new GuestMessage.Unload());
        guest.reactor().run();
        assertThat(guest.synIc().guestTakesElsewhere(0, 2)).as("an offer").isNotNull();
        guest.reactor().run();
        assertThat(guest.synIc().guestTakesElsewhere(0, 2)).isNull();
        guest.reactor().advance(Duration.ofMillis(100));
        assertThat(guest.synIc().guestTakesElsewhere(0, 2)).isEqualTo(new HostMessage.UnloadResponse().encode());
    }

    @Test
    void aSlotThatWasFullForLongGetsItsMessages() {
        guest.connect(VmBusVersion.V5_3);
        guest.bus().add(device);
        guest.post(new GuestMessage.RequestOffers());
        guest.reactor().advance(Duration.ofMinutes(10));
        assertThat(guest.synIc().guestTakes(0, 2)).as("an offer").isNotNull();
        guest.reactor().run();
        assertThat(guest.synIc().guestTakes(0, 2))
                .as("and the end of all")
                .isEqualTo(new HostMessage.AllOffersDelivered().encode());
    }

    @Test
    void messagesToOtherConnectionsOrOfOtherTypesAreRefused() {
        byte[] unload = new GuestMessage.Unload().encode();
        assertThat(guest.synIc().guestPosts(2, 1, unload)).isEqualTo(HvStatus.INVALID_CONNECTION_ID);
        assertThat(guest.synIc().guestPosts(0x2001, 1, unload)).isEqualTo(HvStatus.INVALID_CONNECTION_ID);
        assertThat(guest.synIc().guestPosts(1, 2, unload)).isEqualTo(HvStatus.INVALID_PARAMETER);
        assertThat(guest.synIc().guestPosts(1, 1, new byte[3])).isEqualTo(HvStatus.SUCCESS);
        guest.run();
        assertThat(guest.failures()).hasSize(1);
    }

    @Test
    void aGuestWithItsSynicOffGetsItsMessagesLater() {
        guest.bus().add(device);
        guest.synIc().guestEnables(false);
        guest.post(new GuestMessage.InitiateContact(VmBusVersion.V4_0.code(), 0, 0, 0, 0));
        guest.run();
        guest.synIc().guestEnables(true);
        guest.expect(HostMessage.VersionResponse.class, HostMessage.VersionResponse::supported);
    }

    @Test
    void aGuestThatDoesNotTellAboutRoomIsLookedAtNowAndThen() {
        GuestChannel channel = open(2);
        guest.memory().putInt(channel.ringGpa() + 64, 0); // no flow control
        Channel host = device.channels.getFirst();
        int sent = 0;
        while (host.send(sent, false, MemorySegment.ofArray(new byte[512]))) {
            sent++;
        }
        for (int i = 0; i < 100; i++) {
            channel.signal();
            guest.run();
        }
        guest.memory().putInt(channel.downstreamGpa() + 4, guest.memory().getInt(channel.downstreamGpa()));
        guest.advance(Duration.ofMillis(9));
        assertThat(device.writable).isZero();
        int tasks = guest.reactor().run();
        guest.advance(Duration.ofMillis(2));
        assertThat(device.writable).isEqualTo(1);
        assertThat(tasks).isZero();
    }

    @Test
    void aBusyChannelLeavesTurnsToOthers() {
        EchoDevice other = new EchoDevice(2);
        guest.bus().add(other);
        GuestChannel busy = open(16);
        GuestChannel quiet = guest.open(other.offer(), 4, 4);
        for (int i = 0; i < 400; i++) {
            busy.trySend(i, new byte[8], false);
        }
        quiet.trySend(1, new byte[8], true);
        busy.publish();
        quiet.publish();
        while (other.received == 0) {
            assertThat(guest.reactor().runOne()).isTrue();
        }
        assertThat(device.received).isLessThanOrEqualTo(128);
    }
}
