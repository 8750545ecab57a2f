package io.javisor.storage.storvsp;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.DiskOptions;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.disk.ImageSpec;
import io.javisor.storage.disk.MeteredDisk;
import io.javisor.storage.disk.MovableDisk;
import io.javisor.storage.scsi.DiskUnit;
import io.javisor.vmbus.guest.GuestChannel;
import io.javisor.vmbus.guest.GuestPacket;
import io.javisor.vmbus.guest.GuestRange;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.VmBusVersion;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Many requests of a guest at a time to a file past the page cache: by io_uring where it is, and by threads alone. */
class RequestsInFlightTest {
    private static final int SIZE = 4 << 20;
    private static final int MANY = 60;
    private static final int BLOCK = 8192;
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @TempDir
    Path folder;

    private final TestGuest guest = new TestGuest(1, 32 << 20);
    private final List<Long> pages = new ArrayList<>();
    private @Nullable StorageWorkers workers;
    private @Nullable MeteredDisk disk;
    private @Nullable ScsiController controller;

    private MeteredDisk disk() {
        return Objects.requireNonNull(disk);
    }

    private Path image() {
        return folder.resolve("disk.raw");
    }

    private GuestChannel boot(boolean ring) {
        DiskImage.create(image(), ImageSpec.fixed(ImageFormat.RAW, SIZE));
        workers = new StorageWorkers("test", 4, ring);
        boolean lies = folder.startsWith("/dev/shm");
        disk = new MeteredDisk(new MovableDisk(DiskImage.open(image(), DiskOptions.DEFAULT.withDirect(!lies)), null));
        controller = new ScsiController(0, "vm", workers, 0);
        controller.add(0, new DiskUnit(disk));
        guest.bus().add(controller);
        guest.connect(VmBusVersion.V5_3);
        GuestChannel channel = guest.open(controller.offer(), 32, 32);
        for (ByteBuffer step : List.of(packet(7), packet(9).putShort(12, (short) 0x0602), packet(10), packet(8))) {
            byte[] bytes = new byte[step.capacity()];
            step.get(0, bytes);
            channel.send(1, bytes, true);
            assertThat(channel.receive().buffer().getInt(8)).isZero();
        }
        for (int i = 0; i < MANY; i++) {
            pages.add(guest.allocate(BLOCK));
        }
        return channel;
    }

    @AfterEach
    void close() {
        guest.close();
        if (workers != null && disk != null) {
            workers.close();
            disk.close();
        }
    }

    private static ByteBuffer packet(int operation) {
        return ByteBuffer.allocate(64)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0, operation)
                .putInt(4, 1);
    }

    /** READ(10) or WRITE(10) of a block of 8 KiB, whose memory is what has its number. */
    private void send(GuestChannel channel, boolean writing, int number, int place) {
        byte[] request = packet(3)
                .putShort(12, (short) 52)
                .put(20, (byte) 10)
                .put(21, (byte) 20)
                .put(22, (byte) (writing ? 0 : 1))
                .putInt(24, BLOCK)
                .put(28, (byte) (writing ? 0x2A : 0x28))
                .put(28 + 4, (byte) (place * (BLOCK / 512) >> 8))
                .put(28 + 5, (byte) (place * (BLOCK / 512)))
                .put(28 + 8, (byte) (BLOCK / 512))
                .array();
        assertThat(channel.trySendGpaDirect(number, request, List.of(GuestRange.of(pages.get(number), BLOCK))))
                .isTrue();
    }

    private Set<Long> answers(GuestChannel channel, int count) throws InterruptedException {
        channel.flush();
        Set<Long> found = new HashSet<>();
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (found.size() < count) {
            GuestPacket answer = channel.tryReceive();
            if (answer == null) {
                assertThat(System.nanoTime()).as("%d answers", found.size()).isLessThan(deadline);
                Thread.sleep(1);
                guest.run();
                continue;
            }
            assertThat(answer.buffer().get(14)).as("SRB status").isEqualTo((byte) 1);
            assertThat(answer.buffer().getInt(24)).as("bytes moved").isEqualTo(BLOCK);
            assertThat(found.add(answer.transactionId())).isTrue();
        }
        return found;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aGuestReadsWhatItHasWritten(boolean ring) throws Exception {
        GuestChannel channel = boot(ring);
        var random = new Random(1);
        for (int round = 0; round < 10; round++) {
            List<byte[]> data = new ArrayList<>();
            int shift = random.nextInt(SIZE / BLOCK - MANY);
            for (int i = 0; i < MANY; i++) {
                byte[] block = new byte[BLOCK];
                random.nextBytes(block);
                data.add(block);
                guest.memory().write(pages.get(i), block);
                send(channel, true, i, shift + i);
            }
            assertThat(answers(channel, MANY)).hasSize(MANY);
            for (int i = 0; i < MANY; i++) {
                send(channel, false, MANY - 1 - i, shift + i);
            }
            assertThat(answers(channel, MANY)).hasSize(MANY);
            for (int i = 0; i < MANY; i++) {
                byte[] back = new byte[BLOCK];
                guest.memory().read(pages.get(MANY - 1 - i), back);
                assertThat(back).isEqualTo(data.get(i));
            }
        }
        assertThat(disk().statistics().errors()).isZero();
        assertThat(disk().statistics().reads()).isEqualTo(10L * MANY);
        assertThat(disk().statistics().writtenBytes()).isEqualTo(10L * MANY * BLOCK);
        boolean needsNone = ring && StorageWorkers.ringRefusal() == null && !folder.startsWith("/dev/shm");
        assertThat(Objects.requireNonNull(workers).threads())
                .as("threads that waited")
                .matches(n -> (n == 0) == needsNone);
    }

    /** A bus that is to stand still waits for what is under way; the guest has its answers afterwards. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aPauseWaitsForThem(boolean ring) throws Exception {
        GuestChannel channel = boot(ring);
        for (int round = 0; round < 10; round++) {
            for (int i = 0; i < MANY; i++) {
                send(channel, true, i, i);
            }
            channel.flush();
            CompletableFuture<@Nullable Void> quiet = guest.bus().quiesce();
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (!quiet.isDone()) {
                assertThat(System.nanoTime()).isLessThan(deadline);
                Thread.sleep(1);
                guest.run();
            }
            assertThat(disk().statistics().writes())
                    .as("done when the bus stands still")
                    .isEqualTo((round + 1L) * MANY);
            guest.bus().resume();
            assertThat(answers(channel, MANY)).hasSize(MANY);
        }
    }

    /** A disk that is pulled out and closed ends what it has begun; the guest hears of all. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aDiskThatIsPulledOutEndsThem(boolean ring) throws Exception {
        GuestChannel channel = boot(ring);
        for (int i = 0; i < MANY; i++) {
            send(channel, true, i, i);
        }
        channel.flush();
        assertThat(Objects.requireNonNull(controller).remove(0)).isNotNull();
        disk().close();
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        for (int told = 0; told < MANY; ) {
            GuestPacket answer = channel.tryReceive();
            if (answer == null) {
                assertThat(System.nanoTime()).as("%d answers", told).isLessThan(deadline);
                Thread.sleep(1);
                guest.run();
            } else if (answer.isCompletion()) {
                // Done, an error with sense (closed), or no such unit.
                assertThat(answer.buffer().get(14) & 0xFF).isIn(0x01, 0x84, 0x20);
                told++;
            }
        }
    }

    /** What the engine could not do a thread does again, and says why. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anErrorCarriesItsSense(boolean ring) throws Exception {
        GuestChannel channel = boot(ring);
        try (var file = new RandomAccessFile(image().toFile(), "rw")) {
            file.setLength(SIZE / 2);
        }
        send(channel, false, 0, SIZE / BLOCK - 1);
        channel.flush();
        GuestPacket answer = null;
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while ((answer = channel.tryReceive()) == null) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            Thread.sleep(1);
            guest.run();
        }
        assertThat(answer.buffer().get(14) & 0xFF).as("error, with sense").isEqualTo(0x84);
        assertThat(answer.buffer().get(30) & 0xF).as("medium error").isEqualTo(3);
        assertThat(disk().statistics().errors()).isEqualTo(1);
    }
}
