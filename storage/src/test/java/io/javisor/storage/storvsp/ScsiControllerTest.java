package io.javisor.storage.storvsp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.IoMemory;
import io.javisor.storage.scsi.DiskUnit;
import io.javisor.storage.scsi.Nexus;
import io.javisor.storage.scsi.Sense;
import io.javisor.vmbus.VmBus;
import io.javisor.vmbus.guest.GuestChannel;
import io.javisor.vmbus.guest.GuestPacket;
import io.javisor.vmbus.guest.GuestRange;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.VmBusVersion;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The controller behind a bus, driven by packets as Linux's storvsc sends them. */
class ScsiControllerTest {
    private final TestGuest guest = new TestGuest(4, 32 << 20);
    private final Disk disk = DiskImage.memory("disk", 16 << 20, 512);
    // A worker that works when the test lets it.
    private final ArrayDeque<Runnable> queued = new ArrayDeque<>();
    private boolean holding;
    private final Executor workers = task -> {
        if (holding) {
            queued.add(task);
        } else {
            task.run();
        }
    };
    private ScsiController controller = new ScsiController(0, "vm", workers, 3);
    private long transaction = 1;

    @AfterEach
    void close() {
        guest.close();
        disk.close();
    }

    private static ByteBuffer packet(int operation, int bytes) {
        return ByteBuffer.allocate(bytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0, operation)
                .putInt(4, 1);
    }

    private static byte[] bytes(ByteBuffer of) {
        byte[] all = new byte[of.capacity()];
        of.get(0, all);
        return all;
    }

    private Nexus nexus() {
        return Objects.requireNonNull(controller.target().nexuses().get(0));
    }

    private ByteBuffer ask(GuestChannel channel, ByteBuffer packet) {
        long id = transaction++;
        channel.send(id, bytes(packet), true);
        GuestPacket answer = channel.receive();
        assertThat(answer).as("failures: %s", guest.failures()).isNotNull();
        assertThat(answer.isCompletion()).isTrue();
        assertThat(answer.transactionId()).isEqualTo(id);
        assertThat(answer.payload()).as("Linux wants its request's size back").hasSize(packet.capacity());
        assertThat(answer.buffer().getInt(0)).isEqualTo(1);
        return answer.buffer();
    }

    private GuestChannel boot(int version) {
        controller.add(0, new DiskUnit(disk));
        guest.bus().add(controller);
        guest.connect(VmBusVersion.V5_3);
        return initialize(guest.open(controller.offer(), 16, 16), version);
    }

    private GuestChannel initialize(GuestChannel channel, int version) {
        int bytes = version < 0x0501 ? 48 : 64;
        assertThat(ask(channel, packet(7, bytes)).getInt(8)).isZero();
        assertThat(ask(channel, packet(9, bytes).putShort(12, (short) version)).getInt(8))
                .isZero();
        ByteBuffer properties = ask(channel, packet(10, bytes));
        assertThat(properties.getInt(8)).isZero();
        assertThat(properties.getShort(16)).isEqualTo((short) (version < 0x0501 ? 0 : 3));
        assertThat(properties.getInt(24)).isEqualTo(2 << 20);
        assertThat(ask(channel, packet(8, bytes)).getInt(8)).isZero();
        return channel;
    }

    private static ByteBuffer srb(int bytes, int lun, int direction, String cdb, int length) {
        byte[] block = HexFormat.of().parseHex(cdb.replace(" ", ""));
        return packet(3, bytes)
                .putShort(12, (short) (bytes - 12))
                .put(19, (byte) lun)
                .put(20, (byte) block.length)
                .put(21, (byte) 20)
                .put(22, (byte) direction)
                .putInt(24, length)
                .put(28, block);
    }

    private ByteBuffer io(
            GuestChannel channel, int lun, int direction, String cdb, List<GuestRange> ranges, int length) {
        long id = transaction++;
        channel.sendGpaDirect(id, srb(64, lun, direction, cdb, length).array(), ranges);
        return channel.receive().buffer();
    }

    private ByteBuffer command(GuestChannel channel, int lun, String cdb) {
        return ask(channel, srb(64, lun, 2, cdb, 0));
    }

    private static void succeeded(ByteBuffer answer) {
        assertThat(answer.get(14)).as("SRB status").isEqualTo((byte) 1);
        assertThat(answer.get(15)).as("SCSI status").isZero();
    }

    @ParameterizedTest
    @CsvSource({"0x0200", "0x0402", "0x0501", "0x0600", "0x0602"})
    void everyVersionInitializes(String version) {
        int code = Integer.decode(version);
        GuestChannel channel = boot(code);
        succeeded(ask(channel, srb(code < 0x0501 ? 48 : 64, 0, 2, "00 00 00 00 00 00", 0)));
        assertThat(guest.failures()).isEmpty();
    }

    @Test
    void unknownVersionsAreRefusedAndTheNextIsTried() {
        controller.add(0, new DiskUnit(disk));
        guest.bus().add(controller);
        guest.connect(VmBusVersion.V5_3);
        GuestChannel channel = guest.open(controller.offer(), 16, 16);
        assertThat(ask(channel, packet(8, 64)).getInt(8)).as("nothing begun").isNotZero();
        assertThat(ask(channel, packet(7, 64)).getInt(8)).isZero();
        assertThat(ask(channel, packet(9, 64).putShort(12, (short) 0x0700)).getInt(8))
                .isNotZero();
        assertThat(ask(channel, packet(10, 64)).getInt(8)).as("no version yet").isNotZero();
        assertThat(command(channel, 0, "00 00 00 00 00 00").get(14))
                .as("not ready")
                .isEqualTo((byte) 6);
        assertThat(ask(channel, packet(9, 64).putShort(12, (short) 0x0602)).getInt(8))
                .isZero();
        assertThat(ask(channel, packet(12, 64)).getInt(8))
                .as("no Fibre Channel")
                .isNotZero();
        assertThat(ask(channel, packet(99, 64)).getInt(8)).isNotZero();
    }

    @Test
    void dataMovesBetweenGuestPagesAndTheDisk() {
        GuestChannel channel = boot(0x0602);
        byte[] data = new byte[64 << 10];
        new Random(1).nextBytes(data);
        // Pages in any order, beginning inside one.
        long first = guest.allocate(data.length + 8192) / 4096;
        var pages = new ArrayList<Long>();
        for (int i = 0; i <= 16; i++) {
            pages.add(first + (i * 5) % 17);
        }
        var range = new GuestRange(data.length, 512, pages);
        for (int at = 0; at < data.length; at += 512) {
            int p = (at + 512) / 4096;
            byte[] sector = new byte[512];
            System.arraycopy(data, at, sector, 0, 512);
            guest.memory().write(pages.get(p) * 4096 + (at + 512) % 4096, sector);
        }
        ByteBuffer written = io(channel, 0, 0, "2A 00 00000010 00 0080 00", List.of(range), data.length);
        succeeded(written);
        assertThat(written.getInt(24)).isEqualTo(data.length);
        IoMemory onDisk = IoMemory.allocate(data.length);
        disk.read(16 * 512, onDisk);
        assertThat(onDisk.toByteArray()).isEqualTo(data);

        long target = guest.allocate(data.length);
        succeeded(io(
                channel, 0, 1, "28 00 00000010 00 0080 00", List.of(GuestRange.of(target, data.length)), data.length));
        byte[] back = new byte[data.length];
        guest.memory().read(target, back);
        assertThat(back).isEqualTo(data);
    }

    @Test
    void errorsCarrySense() {
        GuestChannel channel = boot(0x0602);
        long page = guest.allocate(4096);
        ByteBuffer answer = io(channel, 0, 1, "28 00 0FFFFFFF 00 0001 00", List.of(GuestRange.of(page, 512)), 512);
        assertThat(answer.get(14) & 0xFF).as("error, with sense").isEqualTo(0x84);
        assertThat(answer.get(15)).isEqualTo((byte) 2);
        assertThat(answer.get(21)).isEqualTo((byte) 18);
        assertThat(answer.get(28) & 0x7F).isEqualTo(0x70);
        assertThat(answer.get(30)).isEqualTo((byte) 5);
        assertThat(answer.get(40)).isEqualTo((byte) 0x21);
        assertThat(answer.getInt(24)).as("nothing was moved").isZero();
    }

    @Test
    void absentUnitsSayThatTheyAreAbsent() {
        GuestChannel channel = boot(0x0602);
        long page = guest.allocate(4096);
        for (ByteBuffer where : List.of(
                srb(64, 7, 1, "12 00 00 00 24 00", 36),
                srb(64, 0, 1, "12 00 00 00 24 00", 36).put(18, (byte) 1),
                srb(64, 0, 1, "12 00 00 00 24 00", 36).put(17, (byte) 3))) {
            channel.sendGpaDirect(transaction++, bytes(where), List.of(GuestRange.of(page, 36)));
            succeeded(channel.receive().buffer());
            assertThat(guest.memory().getByte(page)).isEqualTo((byte) 0x7F);
        }
        assertThat(command(channel, 7, "00 00 00 00 00 00").get(14)).isEqualTo((byte) 0x20);
        // A target that is not there has no units, so that the guest does not try 255 of them.
        channel.sendGpaDirect(
                transaction++,
                srb(64, 0, 1, "A0 00 00 000000 00000040 00 00", 64)
                        .put(18, (byte) 1)
                        .array(),
                List.of(GuestRange.of(page, 64)));
        succeeded(channel.receive().buffer());
        assertThat(guest.memory().getInt(page)).isZero();
    }

    @Test
    void unitsComeAndGoWhileTheGuestRuns() {
        GuestChannel channel = boot(0x0602);
        for (int i = 0; i < 100; i++) {
            controller.add(5, new DiskUnit(disk));
            guest.run();
            GuestPacket told = channel.receive();
            assertThat(told.transactionId()).isZero();
            assertThat(told.completionRequested()).isFalse();
            assertThat(told.buffer().getInt(0)).as("ENUMERATE_BUS").isEqualTo(11);
            succeeded(command(channel, 5, "00 00 00 00 00 00"));
            assertThat(controller.remove(5)).isNotNull();
            guest.run();
            assertThat(channel.receive().buffer().getInt(0)).isEqualTo(11);
            assertThat(command(channel, 5, "00 00 00 00 00 00").get(14)).isEqualTo((byte) 0x20);
        }
        succeeded(command(channel, 0, "00 00 00 00 00 00"));
        assertThatThrownBy(() -> controller.add(64, new DiskUnit(disk))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> controller.add(0, new DiskUnit(disk))).isInstanceOf(IllegalArgumentException.class);
        assertThat(controller.remove(9)).isNull();
    }

    @Test
    void requestsAreAnsweredInTheOrderInWhichTheyEnd() {
        GuestChannel channel = boot(0x0602);
        holding = true;
        for (int i = 0; i < 40; i++) {
            channel.send(1000 + i, srb(64, 0, 2, "00 00 00 00 00 00", 0).array(), true);
        }
        assertThat(channel.tryReceive()).isNull();
        while (!queued.isEmpty()) {
            queued.removeLast().run();
        }
        guest.run();
        for (int i = 39; i >= 0; i--) {
            assertThat(channel.receive().transactionId()).isEqualTo(1000 + i);
        }
    }

    @Test
    void whatWaitsForNothingIsAnsweredAtOnceAndTheRestByWorkers() {
        GuestChannel channel = boot(0x0602);
        succeeded(command(channel, 0, "00 00 00 00 00 00"));
        holding = true;
        byte[] data = new byte[4096];
        new Random(9).nextBytes(data);
        long page = guest.allocate(4096);
        guest.memory().write(page, data);
        var pages = List.of(GuestRange.of(page, 4096));
        succeeded(io(channel, 0, 0, "2A 00 00000020 00 0008 00", pages, 4096));
        guest.memory().write(page, new byte[4096]);
        succeeded(io(channel, 0, 1, "88 00 0000000000000020 00000008 00 00", pages, 4096));
        byte[] back = new byte[4096];
        guest.memory().read(page, back);
        assertThat(back).isEqualTo(data);
        assertThat(queued).isEmpty();

        // Durable writes wait for the disk, large ones for the copying, and errors and reservations are looked at by
        // workers.
        long large = guest.allocate(64 << 10);
        channel.sendGpaDirect(
                1, srb(64, 0, 0, "2A 08 00000020 00 0008 00", 4096).array(), pages);
        channel.sendGpaDirect(
                2,
                srb(64, 0, 1, "28 00 00000000 00 0080 00", 64 << 10).array(),
                List.of(GuestRange.of(large, 64 << 10)));
        channel.sendGpaDirect(
                3, srb(64, 0, 1, "28 00 0FFFFFFF 00 0008 00", 4096).array(), pages);
        assertThat(channel.tryReceive()).isNull();
        assertThat(queued).hasSize(3);
        while (!queued.isEmpty()) {
            queued.remove().run();
        }
        guest.run();
        succeeded(channel.receive().buffer());
        succeeded(channel.receive().buffer());
        assertThat(channel.receive().buffer().get(15)).as("a check condition").isEqualTo((byte) 2);
        nexus().unit().raise(Sense.lunsChanged(), null);
        channel.sendGpaDirect(
                4, srb(64, 0, 1, "28 00 00000000 00 0008 00", 4096).array(), pages);
        assertThat(queued).as("a unit attention waits").hasSize(1);
        queued.remove().run();
        guest.run();
        assertThat(channel.receive().buffer().get(15)).isEqualTo((byte) 2);
    }

    @Test
    void aResetIsAnsweredAfterTheRequestsBeforeIt() {
        GuestChannel channel = boot(0x0602);
        holding = true;
        channel.send(1, srb(64, 0, 2, "00 00 00 00 00 00", 0).array(), true);
        channel.send(2, packet(6, 64).array(), true);
        assertThat(channel.tryReceive()).isNull();
        queued.remove().run();
        guest.run();
        assertThat(channel.receive().transactionId()).isEqualTo(1);
        GuestPacket reset = channel.receive();
        assertThat(reset.transactionId()).isEqualTo(2);
        assertThat(reset.buffer().getInt(8)).isZero();
        holding = false;
        assertThat(ask(channel, packet(5, 64)).getInt(8)).isZero();
    }

    @Test
    void subChannelsServeTheSameUnits() {
        GuestChannel channel = boot(0x0602);
        assertThat(ask(channel, packet(13, 64).putShort(12, (short) 4)).getInt(8))
                .as("too many")
                .isNotZero();
        assertThat(ask(channel, packet(13, 64).putShort(12, (short) 3)).getInt(8))
                .isZero();
        for (int i = 1; i <= 3; i++) {
            GuestChannel sub = guest.open(guest.offerOf(controller.offer(), i), 8, 8, i);
            succeeded(command(sub, 0, "00 00 00 00 00 00"));
            long page = guest.allocate(512);
            succeeded(io(sub, 0, 1, "28 00 00000000 00 0001 00", List.of(GuestRange.of(page, 512)), 512));
            assertThat(ask(sub, packet(7, 64)).getInt(8))
                    .as("only the primary initializes")
                    .isNotZero();
        }
        succeeded(command(channel, 0, "00 00 00 00 00 00"));
    }

    @Test
    void requestsThatMakeNoSenseAreRefusedOneByOne() {
        GuestChannel channel = boot(0x0602);
        long page = guest.allocate(4096);
        // longer than its memory
        assertThat(io(channel, 0, 1, "28 00 00000000 00 0001 00", List.of(GuestRange.of(page, 512)), 1024)
                        .get(14))
                .isEqualTo((byte) 6);
        assertThat(ask(channel, srb(64, 0, 1, "28 00 00000000 00 0001 00", 512)).get(14))
                .isEqualTo((byte) 6);
        assertThat(ask(channel, srb(64, 0, 2, "00", 0).put(20, (byte) 17)).get(14))
                .isEqualTo((byte) 6);
        assertThat(ask(channel, srb(64, 0, 2, "00", 0).put(20, (byte) 0)).get(14))
                .isEqualTo((byte) 6);
        // memory for less than the command asks
        assertThat(io(channel, 0, 1, "28 00 00000000 00 0008 00", List.of(GuestRange.of(page, 512)), 512)
                                .get(14)
                        & 0xFF)
                .isEqualTo(0x84);
        succeeded(command(channel, 0, "00 00 00 00 00 00"));
        var random = new Random(4);
        for (int i = 0; i < 3000; i++) {
            byte[] noise = new byte[64];
            random.nextBytes(noise);
            noise[1] = noise[2] = noise[3] = 0;
            noise[0] = (byte) (i % 2 == 0 ? 3 : random.nextInt(16));
            if (i % 3 != 0) {
                noise[17] = noise[18] = noise[19] = 0;
                noise[20] = (byte) random.nextInt(18);
                ByteBuffer.wrap(noise).order(ByteOrder.LITTLE_ENDIAN).putInt(24, random.nextInt(5000));
            }
            channel.sendGpaDirect(transaction++, noise, List.of(GuestRange.of(page, 4096)));
            while (channel.tryReceive() != null) {
                // answered, whatever it was
            }
        }
        assertThat(guest.failures()).isEmpty();
    }

    @Test
    void packetsThatAreNoStoragePacketsCloseTheChannel() {
        GuestChannel channel = boot(0x0602);
        channel.send(1, new byte[8], true);
        assertThat(guest.failures()).anyMatch(f -> f.contains("8 bytes"));
    }

    @Test
    void aReopenedChannelStartsAnew() {
        GuestChannel channel = boot(0x0602);
        channel.close();
        GuestChannel again = guest.open(controller.offer(), 16, 16);
        assertThat(command(again, 0, "00 00 00 00 00 00").get(14)).isEqualTo((byte) 6);
        succeeded(command(initialize(again, 0x0600), 0, "00 00 00 00 00 00"));
    }

    private static StateReader save(ScsiController of) {
        var out = new StateWriter();
        of.save(out);
        return new StateReader(of.stateName(), of.stateVersion(), out.toByteArray());
    }

    @Test
    void stateGoesAroundInTheMiddleOfWork() {
        GuestChannel channel = boot(0x0602);
        var unit = (DiskUnit) nexus().unit();
        unit.raise(io.javisor.storage.scsi.Sense.capacityChanged(), null);
        channel.send(77, srb(64, 0, 2, "00 00 00 00 00 00", 0).array(), true);
        var pausing = CompletableFuture.runAsync(() -> guest.bus().pause(Duration.ofSeconds(10)));
        while (!pausing.isDone()) {
            guest.run();
        }
        pausing.join();
        var saved = new StateWriter();
        guest.bus().save(saved);

        controller = new ScsiController(0, "vm", workers, 3);
        controller.add(0, new DiskUnit(disk));
        VmBus bus = guest.replaceBus();
        guest.run();
        bus.add(controller);
        bus.restore(new StateReader(bus.stateName(), bus.stateVersion(), saved.toByteArray()));
        bus.resume();
        guest.run();
        GuestPacket before = channel.receive();
        assertThat(before.transactionId()).isEqualTo(77);
        assertThat(before.buffer().get(40)).as("the attention of before").isEqualTo((byte) 0x2A);
        unit = (DiskUnit) nexus().unit();
        controller.add(1, unit);
        guest.run();
        assertThat(channel.receive().buffer().getInt(0)).as("ENUMERATE_BUS").isEqualTo(11);
        succeeded(command(channel, 1, "00 00 00 00 00 00"));
        succeeded(command(channel, 0, "00 00 00 00 00 00"));
    }

    @Test
    void attentionsThatNobodyHasHeardOfAreSaved() {
        boot(0x0602);
        nexus().raise(io.javisor.storage.scsi.Sense.capacityChanged());
        StateReader saved = save(controller);
        var restored = new ScsiController(0, "vm", workers, 3);
        restored.add(0, new DiskUnit(disk));
        restored.restore(saved);
        var ready = io.javisor.storage.scsi.ScsiCommand.of(new byte[6]);
        assertThat(restored.target().execute(0, ready).sense())
                .isEqualTo(io.javisor.storage.scsi.Sense.capacityChanged());
        assertThat(restored.target().execute(0, ready).status()).isZero();
    }

    @Test
    void aDifferentDiskIsNotTakenForTheSavedOne() {
        boot(0x0602);
        StateReader saved = save(controller);
        try (Disk other = DiskImage.memory("other", 16 << 20, 512)) {
            var wrong = new ScsiController(0, "vm", workers, 3);
            assertThatThrownBy(() -> wrong.restore(saved)).isInstanceOf(StateException.class);
            wrong.add(0, new DiskUnit(other));
            assertThatThrownBy(() -> wrong.restore(saved))
                    .isInstanceOf(StateException.class)
                    .hasMessageContaining("LUN 0 was the disk");
        }
    }

    @Test
    void workersAreAsManyAsThereIsWorkUpToALimit() throws Exception {
        var gate = new java.util.concurrent.CountDownLatch(1);
        var running = new java.util.concurrent.Semaphore(0);
        try (var pool = new StorageWorkers("test", 3)) {
            assertThat(pool.threads()).isZero();
            for (int i = 1; i <= 10; i++) {
                pool.execute(() -> {
                    running.release();
                    try {
                        gate.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
                assertThat(pool.threads()).isEqualTo(Math.min(i, 3));
            }
            running.acquire(3);
            assertThat(running.tryAcquire()).isFalse();
            gate.countDown();
            running.acquire(7);
            pool.execute(() -> {
                throw new IllegalStateException("a task's own trouble");
            });
            pool.execute(running::release);
            running.acquire();
        }
    }

    @Test
    void workersFinishWhatTheyTookAndThenRefuse() {
        var done = new java.util.concurrent.atomic.AtomicInteger();
        var pool = new StorageWorkers("test", 3);
        for (int i = 0; i < 200; i++) {
            pool.execute(done::incrementAndGet);
        }
        pool.close();
        pool.close();
        assertThat(done).hasValue(200);
        assertThatThrownBy(() -> pool.execute(done::incrementAndGet))
                .isInstanceOf(java.util.concurrent.RejectedExecutionException.class);
    }
}
