package io.javisor.storage.scsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskException;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.IoMemory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** SPC-4 section 5.13, across initiators. */
class ReservationsTest {
    private static final String READ = "28 00 00000000 00 0001 00";
    private static final String WRITE = "2A 00 00000000 00 0001 00";

    @TempDir
    Path folder;

    private final Disk disk = DiskImage.memory("shared", 1 << 20, 512);
    private DiskUnit unit = new DiskUnit(disk);
    private Initiator a = new Initiator(unit, "a");
    private Initiator b = new Initiator(unit, "b");
    private Initiator c = new Initiator(unit, "c");

    @AfterEach
    void close() {
        disk.close();
    }

    private void restartWith(ReservationStore store) {
        unit = new DiskUnit(disk, store);
        a = new Initiator(unit, "a");
        b = new Initiator(unit, "b");
        c = new Initiator(unit, "c");
    }

    private static ScsiResult out(Initiator by, int action, int type, long key, long newKey, int flags) {
        byte[] parameters = new byte[24];
        ByteBuffer.wrap(parameters).putLong(0, key).putLong(8, newKey).put(20, (byte) flags);
        return by.tryOut(String.format("5F %02X %02X 0000 00000018 00", action, type), parameters);
    }

    private static void register(Initiator who, long key) {
        good(out(who, 0, 0, 0, key, 0));
    }

    private static void good(ScsiResult result) {
        assertThat(result.status()).as("%s", result).isZero();
    }

    private static void conflicts(ScsiResult result) {
        assertThat(result.status()).isEqualTo(ScsiResult.RESERVATION_CONFLICT);
    }

    private static boolean reads(Initiator who) {
        return allowed(who.tryIn(READ, 512));
    }

    private static boolean writes(Initiator who) {
        return allowed(who.tryOut(WRITE, new byte[512]));
    }

    private static boolean allowed(ScsiResult result) {
        assertThat(result.status()).isIn(0, ScsiResult.RESERVATION_CONFLICT);
        return result.status() == 0;
    }

    /** a holds, b is registered, c is nobody. */
    @ParameterizedTest
    @CsvSource({
        // type, b reads, b writes, c reads, c writes
        "1, true, false, true, false",
        "3, false, false, false, false",
        "5, true, true, true, false",
        "6, true, true, false, false",
        "7, true, true, true, false",
        "8, true, true, false, false"
    })
    void typesAllowWhatTheStandardSays(int type, boolean bReads, boolean bWrites, boolean cReads, boolean cWrites) {
        register(a, 0xA);
        register(b, 0xB);
        good(out(a, 1, type, 0xA, 0, 0));
        assertThat(reads(a)).isTrue();
        assertThat(writes(a)).isTrue();
        assertThat(reads(b)).isEqualTo(bReads);
        assertThat(writes(b)).isEqualTo(bWrites);
        assertThat(reads(c)).isEqualTo(cReads);
        assertThat(writes(c)).isEqualTo(cWrites);
        // What says what the unit is stays possible for all.
        assertThat(c.in("12 00 00 00 24 00", 36).limit()).isEqualTo(36);
        assertThat(c.in("25 00 00000000 0000 00 00", 8).limit()).isEqualTo(8);
        c.good("00 00 00 00 00 00");
        ByteBuffer held = c.in("5E 01 0000000000 0020 00", 32);
        assertThat(held.getInt(4)).isEqualTo(16);
        assertThat(held.getLong(8)).isEqualTo(type >= 7 ? 0 : 0xA);
        assertThat(held.get(21)).isEqualTo((byte) type);
        assertThat(out(b, 1, type, 0xB, 0, 0).status()).isEqualTo(type >= 7 ? 0 : ScsiResult.RESERVATION_CONFLICT);
        good(out(a, 2, type, 0xA, 0, 0));
        assertThat(writes(c)).isTrue();
        if (type >= 5) {
            Initiator.fails(b.run("00 00 00 00 00 00"), 6, 0x2A04);
        }
    }

    @Test
    void keysAreWhatGivesRights() {
        conflicts(out(a, 0, 0, 5, 0xA, 0)); // not registered: the old key is 0
        register(a, 0xA);
        conflicts(out(a, 0, 0, 5, 0xAA, 0));
        conflicts(out(a, 1, 1, 5, 0, 0));
        conflicts(out(b, 1, 1, 0, 0, 0));
        good(out(a, 6, 0, 0x77, 0xAA, 0)); // and ignore existing key
        ByteBuffer keys = b.in("5E 00 0000000000 0020 00", 32);
        assertThat(keys.getInt(0)).isEqualTo(2);
        assertThat(keys.getInt(4)).isEqualTo(8);
        assertThat(keys.getLong(8)).isEqualTo(0xAA);
        good(out(a, 0, 0, 0xAA, 0, 0));
        assertThat(b.in("5E 00 0000000000 0020 00", 32).getInt(4)).isZero();
    }

    @Test
    void aHolderThatUnregistersReleases() {
        register(a, 0xA);
        register(b, 0xB);
        good(out(a, 1, 5, 0xA, 0, 0));
        good(out(a, 0, 0, 0xA, 0, 0));
        Initiator.fails(b.run("00 00 00 00 00 00"), 6, 0x2A04);
        assertThat(writes(c)).isTrue();
    }

    @Test
    void allRegistrantsHoldUntilTheLastIsGone() {
        register(a, 0xA);
        register(b, 0xB);
        good(out(a, 1, 7, 0xA, 0, 0));
        good(out(a, 0, 0, 0xA, 0, 0));
        assertThat(writes(c)).isFalse();
        good(out(b, 0, 0, 0xB, 0, 0));
        assertThat(writes(c)).isTrue();
    }

    @Test
    void preemptTakesTheReservationOver() {
        register(a, 0xA);
        register(b, 0xB);
        good(out(a, 1, 1, 0xA, 0, 0));
        assertThat(writes(b)).isFalse();
        good(out(b, 4, 1, 0xB, 0xA, 0));
        assertThat(writes(b)).isTrue();
        Initiator.fails(a.tryOut(WRITE, new byte[512]), 6, 0x2A05);
        assertThat(writes(a)).isFalse();
        conflicts(out(a, 1, 1, 0xA, 0, 0)); // no longer registered
        conflicts(out(b, 5, 1, 0xB, 0xDEAD, 0)); // nobody has this key
    }

    @Test
    void preemptRemovesAnotherRegistration() {
        register(a, 0xA);
        register(b, 0xB);
        register(c, 0xC);
        good(out(a, 1, 5, 0xA, 0, 0));
        good(out(b, 5, 5, 0xB, 0xC, 0));
        Initiator.fails(c.run("00 00 00 00 00 00"), 6, 0x2A05);
        assertThat(writes(c)).isFalse();
        assertThat(writes(a)).isTrue();
        Initiator.fails(out(b, 4, 5, 0xB, 0, 0), 5, 0x2600);
    }

    /** A fenced cluster node must not write after the other one has been told that it is fenced. */
    @Test
    void preemptAndAbortWaitsForWhatTheLoserIsWriting() throws Exception {
        var held = new HeldDisk(disk);
        unit = new DiskUnit(held);
        a = new Initiator(unit, "a");
        b = new Initiator(unit, "b");
        register(a, 0xA);
        register(b, 0xB);
        good(out(a, 1, 5, 0xA, 0, 0));
        byte[] losers = new byte[512];
        losers[0] = 1;
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<ScsiResult> writing = threads.submit(() -> b.tryOut(WRITE, losers));
            held.begun.await();
            Future<ScsiResult> fencing = threads.submit(() -> out(a, 5, 5, 0xA, 0xB, 0));
            assertThatThrownBy(() -> fencing.get(200, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
            held.goOn.countDown();
            good(fencing.get());
            IoMemory there = IoMemory.allocate(512);
            disk.read(0, there);
            assertThat(there.toByteArray()[0])
                    .as("the loser's write was there before it was said to be fenced")
                    .isEqualTo((byte) 1);
            good(writing.get());
        }
        Initiator.fails(b.run("00 00 00 00 00 00"), 6, 0x2A05);
        assertThat(writes(b)).isFalse();
        good(a.tryOut(WRITE, new byte[512]));
        assertThat(a.in(READ, 512).get(0)).as("the winner's").isZero();
    }

    @Test
    void preemptOfAllRegistrantsLeavesOne() {
        register(a, 0xA);
        register(b, 0xB);
        good(out(a, 1, 8, 0xA, 0, 0));
        good(out(b, 4, 1, 0xB, 0, 0));
        Initiator.fails(a.run("00 00 00 00 00 00"), 6, 0x2A05);
        assertThat(writes(a)).isFalse();
        assertThat(writes(b)).isTrue();
    }

    @Test
    void clearRemovesEverything() {
        register(a, 0xA);
        register(b, 0xB);
        good(out(a, 1, 3, 0xA, 0, 0));
        good(out(b, 3, 0, 0xB, 0, 0));
        Initiator.fails(a.run("00 00 00 00 00 00"), 6, 0x2A03);
        assertThat(writes(c)).isTrue();
        assertThat(a.in("5E 00 0000000000 0020 00", 32).getInt(4)).isZero();
    }

    @Test
    void releaseOfAnotherTypeIsRefused() {
        register(a, 0xA);
        good(out(a, 1, 1, 0xA, 0, 0));
        Initiator.fails(out(a, 2, 3, 0xA, 0, 0), 5, 0x2604);
        conflicts(out(a, 1, 3, 0xA, 0, 0));
        Initiator.fails(out(a, 1, 2, 0xA, 0, 0), 5, 0x2400);
        Initiator.fails(out(a, 1, 0x11, 0xA, 0, 0), 5, 0x2400);
        Initiator.fails(a.tryOut("5F 01 01 0000 00000010 00", new byte[16]), 5, 0x1A00);
        Initiator.fails(out(a, 0, 0, 0xA, 0xB, 8), 5, 0x2600); // SPEC_I_PT
    }

    @Test
    void readFullStatusNamesInitiators() {
        register(a, 0xA);
        var fibreChannel = new Initiator(unit, "c003ff0000ffff00");
        register(fibreChannel, 0xF);
        good(out(a, 1, 5, 0xA, 0, 0));
        ByteBuffer status = b.in("5E 03 0000000000 0200 00", 512);
        assertThat(status.getInt(4) + 8).isEqualTo(status.limit());
        assertThat(status.getLong(8)).isEqualTo(0xA);
        assertThat(status.get(8 + 12)).isEqualTo((byte) 1);
        assertThat(status.get(8 + 13)).isEqualTo((byte) 5);
        int second = 8 + 24 + status.getInt(8 + 20);
        assertThat(status.getLong(second)).isEqualTo(0xF);
        assertThat(status.getLong(second + 24 + 8)).isEqualTo(0xc003ff0000ffff00L);
        ByteBuffer capabilities = b.in("5E 02 0000000000 0008 00", 8);
        assertThat(capabilities.getShort(4)).isEqualTo((short) 0xEA01);
        assertThat(capabilities.get(2)).as("nothing to persist with").isZero();
    }

    @Test
    void reservationsOutliveTheProcessIfAsked() {
        Initiator.fails(out(a, 0, 0, 0, 0xA, 1), 5, 0x2600); // APTPL without a store
        Path file = folder.resolve("reservations");
        restartWith(new FileReservationStore(file));
        good(out(a, 0, 0, 0, 0xA, 1));
        good(out(a, 1, 3, 0xA, 0, 0));
        assertThat(a.in("5E 02 0000000000 0008 00", 8).getShort(2)).isEqualTo((short) 0x0181);
        restartWith(new FileReservationStore(file));
        assertThat(writes(b)).isFalse();
        assertThat(writes(a)).isTrue();
        good(out(a, 6, 0, 0, 0xA, 0)); // no longer to persist
        restartWith(new FileReservationStore(file));
        assertThat(writes(b)).isTrue();
    }

    @Test
    void damagedSavedReservationsAreRefused() throws Exception {
        Path file = Files.write(folder.resolve("reservations"), new byte[] {0, 0, 0, 1, 0, 0, 0, 9, 0});
        assertThatThrownBy(() -> new DiskUnit(disk, new FileReservationStore(file)))
                .isInstanceOf(DiskException.class);
    }

    @Test
    void reservationsStayWhenTheInitiatorReconnects() {
        register(a, 0xA);
        good(out(a, 1, 1, 0xA, 0, 0));
        a.nexus.detach();
        assertThat(writes(b)).isFalse();
        assertThat(writes(new Initiator(unit, "a"))).isTrue();
    }
}
