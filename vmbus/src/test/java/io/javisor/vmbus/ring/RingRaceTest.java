package io.javisor.vmbus.ring;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Both ends on threads of their own, sleeping on signals only: a lost signal hangs, a wrong order shows in the bytes. */
class RingRaceTest {
    @Test
    void nothingIsLostBetweenTwoThreads() throws Exception {
        race(200_000);
    }

    @Test
    @Tag("long")
    void nothingIsLostInALongTime() throws Exception {
        race(50_000_000);
    }

    private static void race(int packets) throws Exception {
        RingFixture f = new RingFixture(1, true);
        Semaphore toReader = new Semaphore(0);
        Semaphore toWriter = new Semaphore(0);
        CompletableFuture<Void> writer = CompletableFuture.runAsync(() -> {
            byte[] payload = new byte[256];
            MemorySegment segment = MemorySegment.ofArray(payload);
            for (int i = 0; i < packets; i++) {
                int length = i * 31 % 257;
                java.util.Arrays.fill(payload, 0, length, (byte) i);
                while (!f.out.write(PacketTypes.IN_BAND, 0, i, segment, 0, length)) {
                    if (f.out.publish()) {
                        toReader.release();
                    }
                    if (!f.out.awaitRoom(OutgoingRing.packetBytes(0, length))) {
                        acquire(toWriter, "writer at " + i);
                        f.out.roomFound();
                    }
                }
                if (i % 3 == 0 && f.out.publish()) {
                    toReader.release();
                }
            }
            if (f.out.publish()) {
                toReader.release();
            }
        });
        PacketBuffer packet = new PacketBuffer(512);
        int received = 0;
        f.in.mask();
        while (received < packets) {
            while (f.in.next(packet)) {
                assertThat(packet.transactionId()).isEqualTo(received);
                byte[] payload = packet.payload();
                int length = received * 31 % 257;
                for (int i = 0; i < length; i++) {
                    if (payload[i] != (byte) received) {
                        throw new AssertionError("packet " + received + ", byte " + i + " of " + length);
                    }
                }
                received++;
                if (received % 5 == 0 && f.in.commit()) {
                    toWriter.release();
                }
            }
            if (f.in.commit()) {
                toWriter.release();
            }
            if (received < packets && !f.in.unmask()) {
                acquire(toReader, "reader at " + received);
            }
            f.in.mask();
        }
        writer.get(60, TimeUnit.SECONDS);
    }

    private static void acquire(Semaphore signal, String who) {
        try {
            if (!signal.tryAcquire(30, TimeUnit.SECONDS)) {
                throw new AssertionError("signal lost: " + who);
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
