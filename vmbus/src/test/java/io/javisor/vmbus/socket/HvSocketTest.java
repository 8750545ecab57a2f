package io.javisor.vmbus.socket;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.HypervisorException;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.GuestMessage;
import io.javisor.vmbus.protocol.HostMessage;
import io.javisor.vmbus.protocol.Octets;
import io.javisor.vmbus.protocol.VmBusVersion;
import io.javisor.vmbus.protocol.Wire;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class HvSocketTest {
    private final TestGuest guest = new TestGuest(2, 32 << 20);
    private final HvSockets sockets = new HvSockets(guest.bus());

    @BeforeEach
    void connect() {
        guest.connect(VmBusVersion.V5_3);
    }

    @AfterEach
    void close() {
        guest.close();
    }

    /** Runs something that blocks on a virtual thread while the guest goes on. */
    private <T> T blocking(Callable<T> call, Runnable guestWork) throws Exception {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<T> result = executor.submit(call);
            while (!result.isDone()) {
                guest.run();
                guestWork.run();
            }
            return result.get();
        }
    }

    private record Pair(HvSocket host, GuestSocket guest) {}

    private Pair connected(int port) throws Exception {
        try (HvSocketListener listener = sockets.listen(port, 1)) {
            GuestSocket fromGuest = requireNonNull(GuestSocket.connect(guest, 1000 + port, port));
            HvSocket host = requireNonNull(listener.accept(Duration.ZERO));
            return new Pair(host, fromGuest);
        }
    }

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    @Test
    void aGuestConnectsToAPortThatTheHostListensOn() throws Exception {
        try (HvSocketListener listener = sockets.listen(5000, 4)) {
            GuestSocket fromGuest = requireNonNull(GuestSocket.connect(guest, 0x1234, 5000));
            HostMessage.OfferChannel offer = fromGuest.channel.offer();
            assertThat(offer.interfaceType()).hasToString("00001388-facb-11e6-bd58-64006a7986d3");
            assertThat(offer.flags() & 0x2000).isNotZero();
            assertThat(offer.userData().get(4)).as("not from the host").isZero();
            HvSocket socket = listener.accept();
            assertThat(socket.localPort()).isEqualTo(5000);
            assertThat(socket.remotePort()).isEqualTo(0x1234);
            fromGuest.trySend("hi".getBytes(UTF_8), 0, 2);
            ByteBuffer into = ByteBuffer.allocate(10);
            assertThat(socket.read(into)).isEqualTo(2);
            assertThat(socket.write(ByteBuffer.wrap("ho".getBytes(UTF_8)))).isEqualTo(2);
            fromGuest.receive();
            assertThat(fromGuest.received.toString(UTF_8)).isEqualTo("ho");
        }
    }

    @Test
    void theHostConnectsToAPortOfTheGuest() throws Exception {
        CompletableFuture<GuestSocket> accepted = new CompletableFuture<>();
        HvSocket socket = blocking(() -> sockets.connect(2222, Duration.ofSeconds(30)), () -> {
            var offer = guest.take(HostMessage.OfferChannel.class, o -> true);
            if (offer != null) {
                assertThat(offer.interfaceType()).isEqualTo(ServicePort.guid(2222));
                assertThat(offer.userData().get(4)).as("from the host").isEqualTo(1);
                accepted.complete(new GuestSocket(guest, offer));
            }
        });
        assertThat(socket.remotePort()).isEqualTo(2222);
        socket.write(ByteBuffer.wrap(new byte[] {7}));
        accepted.join().receive();
        assertThat(accepted.join().received.toByteArray()).containsExactly(7);
    }

    @Test
    void nobodyListensInTheGuest() {
        assertThatThrownBy(() -> blocking(() -> sockets.connect(2222, Duration.ofMillis(100)), () -> {}))
                .hasRootCauseInstanceOf(HypervisorException.class)
                .hasMessageContaining("port 2222");
        guest.run();
        assertThat(guest.offers()).as("taken back").isEmpty();
    }

    @Test
    void nobodyListensOnTheHost() throws Exception {
        assertThat(GuestSocket.connect(guest, 1, 5000)).isNull();
        UUID foreign = UUID.randomUUID();
        guest.post(new GuestMessage.TlConnectRequest(ServicePort.guid(1), foreign));
        assertThat(guest.expect(HostMessage.TlConnectResult.class, m -> true).status())
                .isEqualTo(HostMessage.CONNECTION_REFUSED);
        sockets.listen(5000, 1).close();
        assertThat(GuestSocket.connect(guest, 1, 5000)).isNull();
    }

    @Test
    void theBacklogBoundsWhatAGuestMayOpen() throws Exception {
        try (HvSocketListener listener = sockets.listen(5000, 3)) {
            assertThatThrownBy(() -> sockets.listen(5000, 1)).isInstanceOf(HypervisorException.class);
            for (int i = 0; i < 3; i++) {
                assertThat(GuestSocket.connect(guest, i, 5000)).isNotNull();
            }
            assertThat(GuestSocket.connect(guest, 3, 5000)).isNull();
            listener.accept();
            assertThat(GuestSocket.connect(guest, 3, 5000)).isNotNull();
            assertThat(GuestSocket.connect(guest, 3, 5000))
                    .as("the same endpoint twice")
                    .isNull();
        }
        assertThat(guest.failures()).isEmpty();
    }

    @Test
    void aGuestThatAsksAndDoesNotOpenLosesItsPlaceAfterAWhile() throws Exception {
        try (HvSocketListener listener = sockets.listen(5000, 1)) {
            guest.post(new GuestMessage.TlConnectRequest(ServicePort.guid(1), ServicePort.guid(5000)));
            var offer = guest.expect(HostMessage.OfferChannel.class, o -> true);
            assertThat(GuestSocket.connect(guest, 2, 5000)).isNull();
            guest.advance(Duration.ofSeconds(31));
            guest.expect(HostMessage.RescindOffer.class, m -> m.relId() == offer.relId());
            assertThat(GuestSocket.connect(guest, 2, 5000)).isNotNull();
            assertThat(listener.accept().remotePort()).isEqualTo(2);
        }
    }

    @Test
    void megabytesComeThroughIntactBothWaysAtOnce() throws Exception {
        Pair pair = connected(5000);
        byte[] up = random(2_000_003);
        byte[] down = random(3_000_017);
        ByteArrayOutputStream received = new ByteArrayOutputStream();
        int[] sent = {0};
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> writer = executor.submit(() -> {
                pair.host.write(ByteBuffer.wrap(down));
                pair.host.shutdownOutput();
                return null;
            });
            Future<?> reader = executor.submit(() -> {
                ByteBuffer into = ByteBuffer.allocate(10_000);
                while (pair.host.read(into) >= 0) {
                    received.write(into.array(), 0, into.position());
                    into.clear();
                }
                return null;
            });
            while (!writer.isDone() || !reader.isDone() || !pair.guest.ended) {
                guest.run();
                pair.guest.receive();
                int n = Math.min(GuestSocket.CHUNK, up.length - sent[0]);
                if (n > 0 && pair.guest.trySend(up, sent[0], n)) {
                    sent[0] += n;
                    if (sent[0] == up.length) {
                        pair.guest.end();
                    }
                }
            }
            writer.get();
            reader.get();
        }
        assertThat(received.toByteArray()).isEqualTo(up);
        assertThat(pair.guest.received.toByteArray()).isEqualTo(down);
        pair.host.close();
        guest.advance(Duration.ofSeconds(1));
        guest.expect(HostMessage.RescindOffer.class, m -> true);
        pair.guest.release();
        assertThat(guest.failures()).isEmpty();
    }

    @Test
    void eachDirectionEndsByItself() throws Exception {
        Pair pair = connected(5000);
        pair.host.shutdownOutput();
        guest.run();
        pair.guest.receive();
        assertThat(pair.guest.ended).isTrue();
        assertThatThrownBy(() -> pair.host.write(ByteBuffer.allocate(1))).isInstanceOf(ClosedChannelException.class);
        pair.guest.trySend(new byte[] {1, 2, 3}, 0, 3);
        ByteBuffer into = ByteBuffer.allocate(2);
        assertThat(pair.host.read(into)).isEqualTo(2);
        assertThat(pair.host.read(into)).as("full buffer").isZero();
        into.clear();
        assertThat(pair.host.read(into)).isEqualTo(1);
        pair.guest.end();
        assertThat(pair.host.read(into)).isEqualTo(-1);
        assertThat(pair.host.read(into)).isEqualTo(-1);
    }

    @Test
    void aReaderThatDoesNotReadHoldsTheGuestUp() throws Exception {
        Pair pair = connected(5000);
        int sent = 0;
        while (pair.guest.trySend(new byte[1000], 0, 1000)) {
            sent += 1000;
            assertThat(sent).isLessThan(1_000_000);
        }
        ByteBuffer into = ByteBuffer.allocate(sent);
        int total = sent;
        blocking(
                () -> {
                    while (into.position() < total) {
                        pair.host.read(into);
                    }
                    return null;
                },
                () -> {});
        guest.run();
        assertThat(pair.guest.trySend(new byte[1000], 0, 1000)).isTrue();
    }

    @Test
    void aWriterWaitsForAGuestThatDoesNotRead() throws Exception {
        Pair pair = connected(5000);
        Thread writer = Thread.ofVirtual().start(() -> {
            try {
                pair.host.write(ByteBuffer.allocate(1 << 20));
            } catch (IOException e) {
                // ends when the guest goes away
            }
        });
        for (int i = 0; i < 100; i++) {
            guest.run();
            Thread.sleep(1);
        }
        assertThat(writer.isAlive()).isTrue();
        pair.guest.channel.close();
        guest.run();
        writer.join();
        assertThatThrownBy(() -> pair.host.write(ByteBuffer.allocate(1))).isInstanceOf(IOException.class);
    }

    @Test
    void aCloseStillDeliversWhatWasWrittenAndGoesWhenTheGuestHasRead() throws Exception {
        Pair pair = connected(5000);
        pair.host.write(ByteBuffer.wrap(random(50_000)));
        pair.host.close();
        assertThat(pair.host.isOpen()).isFalse();
        assertThatThrownBy(() -> pair.host.read(ByteBuffer.allocate(1))).isInstanceOf(ClosedChannelException.class);
        pair.guest.trySend(new byte[100], 0, 100); // dropped
        while (!pair.guest.ended) {
            guest.run();
            pair.guest.receive();
        }
        assertThat(pair.guest.received.toByteArray()).isEqualTo(random(50_000));
        guest.advance(Duration.ofSeconds(1));
        assertThat(guest.take(HostMessage.RescindOffer.class, m -> true))
                .as("the guest may still send")
                .isNull();
        pair.guest.end();
        guest.advance(Duration.ofSeconds(1));
        guest.expect(HostMessage.RescindOffer.class, m -> m.relId() == pair.guest.channel.relId());
        pair.guest.release();
    }

    @Test
    void aGuestThatNeverReadsIsCutOffAfterAClose() throws Exception {
        Pair pair = connected(5000);
        pair.host.write(ByteBuffer.allocate(60_000)); // more than the ring takes
        pair.host.close();
        guest.run();
        guest.advance(Duration.ofSeconds(9));
        assertThat(guest.take(HostMessage.RescindOffer.class, m -> true)).isNull();
        guest.advance(Duration.ofSeconds(2));
        guest.expect(HostMessage.RescindOffer.class, m -> true);
    }

    @Test
    void whatTheGuestSentBeforeItWentAwayCanBeRead() throws Exception {
        Pair pair = connected(5000);
        pair.guest.trySend(random(3_000), 0, 3_000);
        pair.guest.trySend(random(2_000), 0, 2_000);
        ByteBuffer into = ByteBuffer.allocate(6_000).limit(500);
        pair.host.read(into);
        pair.guest.end();
        pair.guest.channel.close();
        into.limit(6_000);
        while (pair.host.read(into) > 0) {}
        assertThat(into.position()).isEqualTo(5_000);
        assertThat(ByteBuffer.wrap(into.array(), 0, 3_000)).isEqualTo(ByteBuffer.wrap(random(3_000)));
        assertThat(pair.host.isOpen()).isFalse();
        guest.expect(HostMessage.RescindOffer.class, m -> true);
    }

    @Test
    void aGuestThatGoesAwayWithoutAnEndIsAnError() throws Exception {
        Pair pair = connected(5000);
        pair.guest.channel.close();
        assertThatThrownBy(() -> pair.host.read(ByteBuffer.allocate(1)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("without ending");
    }

    @Test
    void aPauseWaitsForNoReaderAndLosesNothing() throws Exception {
        Pair pair = connected(5000);
        byte[] data = random(60_000);
        for (int at = 0; at < 30_000; at += 10_000) {
            assertThat(pair.guest.trySend(data, at, 10_000)).isTrue();
        }
        CompletableFuture<?> quiet = guest.bus().quiesce();
        guest.run();
        assertThat(quiet).as("nobody reads, and yet it is quiet").isDone();
        assertThat(pair.guest.trySend(data, 30_000, 10_000)).isTrue();
        assertThat(pair.host.write(ByteBuffer.wrap(data, 0, 100))).isEqualTo(100);
        guest.run();
        assertThat(pair.guest.receive()).as("while it is paused").isFalse();
        ByteBuffer got = ByteBuffer.allocate(60_000);
        while (got.position() < 30_000) {
            assertThat(pair.host.read(got)).isPositive();
        }
        guest.bus().resume();
        guest.run();
        for (int at = 40_000; at < 60_000; at += 10_000) {
            assertThat(pair.guest.trySend(data, at, 10_000)).isTrue();
        }
        while (got.hasRemaining()) {
            assertThat(pair.host.read(got)).isPositive();
        }
        assertThat(got.array()).isEqualTo(data);
        pair.guest.receive();
        assertThat(pair.guest.received.toByteArray()).isEqualTo(java.util.Arrays.copyOf(data, 100));
    }

    @Test
    void aWriteWithALimitTellsHowFarItGotAndADrainIsSeen() throws Exception {
        Pair pair = connected(5000);
        byte[] data = random(400_000);
        ByteBuffer from = ByteBuffer.wrap(data);
        int written = blocking(() -> pair.host.write(from, Duration.ofMillis(50)), () -> {});
        assertThat(written).isBetween(SocketEnd.BUFFER, data.length - 1);
        assertThat(from.position()).isEqualTo(written);
        assertThat(pair.host.isDrained()).isFalse();
        while (pair.guest.received.size() < written) {
            pair.guest.receive();
        }
        assertThat(blocking(pair.host::isDrained, () -> {})).isTrue();
        assertThat(pair.guest.received.toByteArray()).isEqualTo(java.util.Arrays.copyOf(data, written));
    }

    @Test
    void anInterruptLeavesTheSocketUsable() throws Exception {
        Pair pair = connected(5000);
        CompletableFuture<Throwable> error = new CompletableFuture<>();
        Thread reader = Thread.ofVirtual().start(() -> {
            try {
                pair.host.read(ByteBuffer.allocate(1));
            } catch (IOException e) {
                error.complete(e);
            }
        });
        Thread.sleep(20);
        reader.interrupt();
        assertThat(error.get()).isInstanceOf(java.io.InterruptedIOException.class);
        pair.guest.trySend(new byte[] {5}, 0, 1);
        assertThat(pair.host.read(ByteBuffer.allocate(1))).isEqualTo(1);
    }

    @Test
    void twoHundredConnectionsAreOpenAtOnce() throws Exception {
        List<Pair> pairs = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            pairs.add(connected(6000 + i));
        }
        for (int i = 0; i < 200; i++) {
            pairs.get(i).guest.trySend(new byte[] {(byte) i}, 0, 1);
        }
        for (int i = 0; i < 200; i++) {
            ByteBuffer into = ByteBuffer.allocate(4);
            assertThat(pairs.get(i).host.read(into)).isEqualTo(1);
            assertThat(into.get(0)).isEqualTo((byte) i);
            pairs.get(i).host.close();
            pairs.get(i).guest.end();
        }
        guest.advance(Duration.ofSeconds(1));
        pairs.forEach(pair -> {
            pair.guest.receive();
            guest.advance(Duration.ofMillis(50));
            pair.guest.release();
        });
        assertThat(guest.offers()).isEmpty();
        assertThat(guest.synIc().doorbells()).isZero();
    }

    @Test
    void nonsensePacketsEndTheSocketOnly() throws Exception {
        int[][] headers = {{0, 4}, {2, 4}, {1, -1}, {1, SocketEnd.MTU + 1}, {1, 9}, {1, Integer.MIN_VALUE}};
        for (int i = 0; i < headers.length; i++) {
            Pair pair = connected(7000 + i);
            byte[] packet =
                    Wire.bytes(Wire.buffer(new byte[16]).putInt(headers[i][0]).putInt(headers[i][1]));
            pair.guest.channel.send(0, packet, false);
            assertThat(guest.failures()).hasSize(i + 1);
            assertThatThrownBy(() -> pair.host.read(ByteBuffer.allocate(1))).isInstanceOf(IOException.class);
        }
        connected(8000);
    }

    @Test
    void aGuestThatReconnectsLosesItsSockets() throws Exception {
        Pair pair = connected(5000);
        guest.connect(VmBusVersion.V5_3);
        assertThat(guest.offers()).isEmpty();
        assertThatThrownBy(() -> pair.host.read(ByteBuffer.allocate(1))).isInstanceOf(IOException.class);
        connected(5000);
    }

    @Test
    void socketsNeedTheirVersionOfTheBus() {
        guest.connect(VmBusVersion.V3_0);
        assertThatThrownBy(() -> sockets.connect(1, Duration.ofSeconds(1))).hasMessageContaining("4.0");
        guest.unload();
        assertThatThrownBy(() -> sockets.connect(1, Duration.ofSeconds(1))).hasMessageContaining("not connected");
    }

    @Test
    void aPortIsWrittenIntoAGuid() {
        assertThat(ServicePort.guid(-1)).hasToString("ffffffff-facb-11e6-bd58-64006a7986d3");
        assertThat(ServicePort.port(ServicePort.guid(0x8000_0001))).isEqualTo(0x8000_0001);
        assertThat(ServicePort.isPort(ServicePort.guid(7))).isTrue();
        assertThat(ServicePort.isPort(new UUID(0, 0))).isFalse();
        assertThat(Octets.EMPTY.size()).isZero();
    }
}
