package io.javisor.vmbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.vmbus.guest.GuestChannel;
import io.javisor.vmbus.guest.GuestRange;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.GuestMessage;
import io.javisor.vmbus.protocol.Octets;
import io.javisor.vmbus.protocol.VmBusVersion;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Guests that mean harm, by seed: whatever they do, the bus stays within its bounds and serves the next guest. */
class HostileGuestTest {
    private static final List<VmBusVersion> VERSIONS = List.of(VmBusVersion.values());

    private static GuestMessage message(Random random) {
        int relId = random.nextInt(6);
        int gpadl = random.nextInt(4);
        List<Long> words = new ArrayList<>();
        for (int i = random.nextInt(6); i > 0; i--) {
            words.add(random.nextInt(3) == 0 ? random.nextLong() : TestGuest.MEMORY / 4096 + random.nextInt(64));
        }
        return switch (random.nextInt(12)) {
            case 0 ->
                new GuestMessage.InitiateContact(
                        VERSIONS.get(random.nextInt(VERSIONS.size())).code(), random.nextInt(3), 2, 0, 0);
            case 1, 2 -> new GuestMessage.RequestOffers();
            case 3 ->
                new GuestMessage.OpenChannel(
                        relId, random.nextInt(), gpadl, random.nextInt(3), random.nextInt(5), Octets.EMPTY);
            case 4 -> new GuestMessage.CloseChannel(relId);
            case 5 -> {
                int pages = 1 + random.nextInt(8);
                words.clear();
                words.add(pages * 4096L);
                for (int i = 0; i < pages; i++) {
                    words.add(TestGuest.MEMORY / 4096 + random.nextInt(64));
                }
                yield new GuestMessage.GpadlHeader(relId, gpadl, 8 * words.size(), 1, words);
            }
            case 6 -> new GuestMessage.GpadlHeader(relId, gpadl, random.nextInt(0x200), random.nextInt(3), words);
            case 7 -> new GuestMessage.GpadlBody(0, gpadl, words);
            case 8 -> new GuestMessage.GpadlTeardown(relId, gpadl);
            case 9 -> new GuestMessage.RelIdReleased(relId);
            case 10 ->
                random.nextInt(10) == 0
                        ? new GuestMessage.Unload()
                        : new GuestMessage.ModifyChannel(relId, random.nextInt(3));
            default -> new GuestMessage.TlConnectRequest(java.util.UUID.randomUUID(), java.util.UUID.randomUUID());
        };
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void anyMessagesInAnyOrder(long seed) {
        Random random = new Random(seed);
        try (TestGuest guest = new TestGuest(2, 2 << 20)) {
            EchoDevice[] devices = new EchoDevice[4];
            for (int i = 0; i < devices.length; i++) {
                devices[i] = new EchoDevice(i);
                guest.bus().add(devices[i]);
            }
            for (int round = 0; round < 4_000; round++) {
                byte[] bytes = message(random).encode();
                if (random.nextInt(8) == 0) {
                    bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
                }
                if (random.nextInt(16) == 0) {
                    bytes = java.util.Arrays.copyOf(bytes, random.nextInt(240));
                }
                guest.synIc().guestPosts(random.nextBoolean() ? 1 : 4, 1, bytes);
                // Memory that may be rings changes all the time.
                guest.memory().putInt(TestGuest.MEMORY + 4L * random.nextInt(64 * 1024), random.nextInt(5_000));
                guest.synIc().guestSignals(0x2000 + random.nextInt(6));
                if (random.nextInt(4) == 0) {
                    guest.run();
                }
            }
            guest.forget();
            guest.connect(VmBusVersion.V5_3);
            for (EchoDevice device : devices) {
                GuestChannel channel = guest.open(device.offer(), 4, 4);
                channel.send(1, new byte[8], true);
                assertThat(channel.receive().transactionId()).isEqualTo(1);
                assertThat(device.channels).hasSize(1);
            }
            assertThat(guest.synIc().doorbells()).isEqualTo(4);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void anyBytesInARing(long seed) {
        Random random = new Random(seed);
        try (TestGuest guest = new TestGuest(1, 24 << 20)) {
            EchoDevice device = new EchoDevice(1);
            EchoDevice other = new EchoDevice(2);
            guest.bus().add(device);
            guest.bus().add(other);
            guest.connect(VmBusVersion.V5_3);
            GuestChannel healthy = guest.open(other.offer(), 4, 4);
            long served = 0;
            for (int round = 0; round < 300; round++) {
                GuestChannel channel = guest.open(device.offer(), 3, 3);
                for (int i = 0; i < 20 && device.channels.size() == 1; i++) {
                    switch (random.nextInt(6)) {
                        case 0 ->
                            channel.trySendGpaDirect(
                                    i,
                                    new byte[16],
                                    List.of(GuestRange.of(TestGuest.MEMORY, random.nextInt(9000) + 1)));
                        case 1 ->
                            guest.memory().putInt(channel.ringGpa() + 4L * random.nextInt(4), random.nextInt(1100) * 8);
                        case 2 ->
                            guest.memory()
                                    .putInt(channel.downstreamGpa() + 4L * random.nextInt(4), random.nextInt(1100) * 8);
                        case 3 ->
                            guest.memory()
                                    .putByte(channel.ringGpa() + 4096 + random.nextInt(400), (byte) random.nextInt());
                        case 4 -> channel.write(random.nextInt(14), random.nextInt(2), i, new byte[8], new byte[64]);
                        default -> channel.trySend(i, new byte[random.nextInt(300)], true);
                    }
                    try {
                        channel.publish();
                    } catch (io.javisor.vmbus.ring.RingCorruptException e) {
                        channel.signal(); // our own view is spoilt too
                    }
                    channel.signal();
                    guest.run();
                }
                served = device.received;
                channel.close();
                healthy.send(round, new byte[8], true);
                assertThat(healthy.receive().transactionId()).isEqualTo(round);
            }
            assertThat(served).isPositive();
            assertThat(guest.failures()).isNotEmpty();
            assertThat(guest.synIc().doorbells()).isEqualTo(1);
        }
    }

    @Test
    void aRingThatChangesWhileItIsReadIsNeverTrustedTwice() throws Exception {
        try (TestGuest guest = new TestGuest(1, 16 << 20)) {
            EchoDevice device = new EchoDevice(1);
            guest.bus().add(device);
            guest.connect(VmBusVersion.V5_3);
            long[] rings = {0};
            Thread vcpu = Thread.ofPlatform().daemon().start(() -> {
                Random random = new Random(5);
                while (!Thread.interrupted()) {
                    long ring = rings[0];
                    if (ring != 0) {
                        guest.memory()
                                .putLong(
                                        ring + 4096 + 8L * random.nextInt(16),
                                        random.nextLong() & 0x0000_000F_0007_000FL);
                        guest.memory().putInt(ring, 8 * random.nextInt(512));
                    }
                }
            });
            for (int round = 0; round < 300; round++) {
                GuestChannel channel = guest.open(device.offer(), 2, 2);
                rings[0] = channel.ringGpa();
                for (int i = 0; i < 20; i++) {
                    channel.signal();
                    guest.run();
                }
                rings[0] = 0;
                channel.close();
            }
            vcpu.interrupt();
            vcpu.join();
            assertThat(device.closed).isEqualTo(300);
        }
    }
}
