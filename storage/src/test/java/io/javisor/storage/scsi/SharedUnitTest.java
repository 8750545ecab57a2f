package io.javisor.storage.scsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.HypervisorException;
import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskException;
import io.javisor.storage.disk.DiskException.Kind;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.DiskOptions;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.disk.ImageSpec;
import io.javisor.storage.fibrechannel.SoftwareSan;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One disk in two JVMs: this one's initiator is a, the other's is b. */
class SharedUnitTest {
    private static final DiskOptions SHARED = DiskOptions.DEFAULT.withShared(true);
    private static final String READ = "28 00 00000000 00 0001 00";
    private static final String WRITE = "2A 00 00000000 00 0001 00";
    private static final String READ_KEYS = "5E 00 0000000000 0040 00";
    private static final String BLOCK = "00".repeat(512);
    private static final String CONFLICT = Integer.toString(ScsiResult.RESERVATION_CONFLICT);

    @TempDir
    Path folder;

    private Path file;
    private final SoftwareSan san = SoftwareSan.of("san");

    @BeforeEach
    void create() {
        file = folder.resolve("shared.raw");
        DiskImage.create(file, ImageSpec.fixed(ImageFormat.RAW, 1 << 20));
    }

    @AfterEach
    void close() {
        san.close();
    }

    private Initiator a() {
        return new Initiator(san.open("shared", file, SHARED).unit(), "a");
    }

    private static String cdb(int action, int type) {
        return String.format("5F %02X %02X 0000 00000018 00", action, type);
    }

    private static byte[] parameters(long key, long newKey, int flags) {
        return ByteBuffer.allocate(24)
                .putLong(key)
                .putLong(newKey)
                .put(20, (byte) flags)
                .array();
    }

    private static int out(Initiator by, int action, int type, long key, long newKey) {
        return by.tryOut(cdb(action, type), parameters(key, newKey, 0)).status();
    }

    private static String out(SharingProcess by, int action, int type, long key, long newKey) {
        return by.run("b", cdb(action, type), HexFormat.of().formatHex(parameters(key, newKey, 0)));
    }

    private static boolean writes(Initiator by) {
        ScsiResult result = by.tryOut(WRITE, new byte[512]);
        assertThat(result.status()).as("%s", result).isIn(0, ScsiResult.RESERVATION_CONFLICT);
        return result.status() == 0;
    }

    private static long first(Initiator by) {
        return by.in(READ, 512).getLong(0);
    }

    @Test
    void whatOneProcessReservesHoldsInTheOther() {
        Initiator a = a();
        try (SharingProcess other = SharingProcess.start(file)) {
            assertThat(out(a, 0, 0, 0, 0xA)).isZero();
            assertThat(out(other, 0, 0, 0, 0xB)).isEqualTo("0");
            assertThat(a.in(READ_KEYS, 64).limit()).as("both keys").isEqualTo(8 + 16);
            assertThat(out(a, 1, 1, 0xA, 0)).isZero();
            assertThat(other.run("b", WRITE, BLOCK)).isEqualTo(CONFLICT);
            assertThat(other.run("b", READ, "")).startsWith("0 ");
            assertThat(out(other, 1, 1, 0xB, 0)).isEqualTo(CONFLICT);
            assertThat(writes(a)).isTrue();

            assertThat(out(other, 4, 3, 0xB, 0xA)).as("preempted").isEqualTo("0");
            Initiator.fails(a.tryOut(WRITE, new byte[512]), 6, 0x2A05);
            assertThat(writes(a)).isFalse();
            assertThat(a.tryIn(READ, 512).status()).isEqualTo(ScsiResult.RESERVATION_CONFLICT);
            assertThat(out(a, 0, 0, 0xA, 0xAA)).as("the key is gone").isEqualTo(ScsiResult.RESERVATION_CONFLICT);
            assertThat(out(a, 0, 0, 0, 0xAA)).isZero();
            assertThat(out(other, 2, 3, 0xB, 0)).isEqualTo("0");
            assertThat(writes(a)).isTrue();

            assertThat(out(a, 1, 5, 0xAA, 0)).isZero();
            assertThat(out(a, 2, 5, 0xAA, 0)).isZero();
            assertThat(other.run("b", "00 00 00 00 00 00", ""))
                    .as("told of the release, once")
                    .startsWith("2 6/2a04");
            assertThat(other.run("b", "00 00 00 00 00 00", "")).startsWith("0");
            assertThat(out(other, 3, 0, 0xB, 0)).as("cleared").isEqualTo("0");
            Initiator.fails(a.run("00 00 00 00 00 00"), 6, 0x2A03);
            assertThat(a.in(READ_KEYS, 64).limit()).isEqualTo(8);
        }
    }

    @Test
    void whatIsUnderWayIsDoneBeforeAReservationIsGranted() {
        Initiator a = a();
        try (SharingProcess other = SharingProcess.start(file)) {
            assertThat(out(a, 0, 0, 0, 0xA)).isZero();
            for (int round = 0; round < 20; round++) {
                assertThat(out(other, 6, 0, 0, 0xB)).isEqualTo("0");
                assertThat(out(other, 1, 1, 0xB, 0)).isEqualTo("0");
                other.count("b");
                while (first(a) < 10) {
                    Thread.onSpinWait();
                }
                assertThat(out(a, 5, 1, 0xA, 0xB)).as("preempt and abort").isZero();
                long atOnce = first(a);
                assertThat(other.hear())
                        .as("what it was told to be written last, and why it ended")
                        .isEqualTo(atOnce + " 2 6/2a05");
                assertThat(first(a)).as("nothing came after").isEqualTo(atOnce);
                assertThat(out(a, 2, 1, 0xA, 0)).isZero();
                a.out(WRITE, new byte[512]);
            }
        }
    }

    @Test
    void aProcessThatIsKilledLeavesItsReservationAndNothingElse() {
        Initiator a = a();
        assertThat(out(a, 0, 0, 0, 0xA)).isZero();
        try (SharingProcess other = SharingProcess.start(file)) {
            assertThat(out(other, 0, 0, 0, 0xB)).isEqualTo("0");
            assertThat(out(other, 1, 1, 0xB, 0)).isEqualTo("0");
            assertThat(writes(a)).isFalse();
        }
        assertThat(writes(a))
                .as("who it was may still write, for all that is known")
                .isFalse();
        assertThat(out(a, 4, 1, 0xA, 0xB)).isZero();
        assertThat(writes(a)).isTrue();
        try (SharingProcess again = SharingProcess.start(file)) {
            assertThat(again.run("b", WRITE, BLOCK)).isEqualTo(CONFLICT);
        }
    }

    @Test
    void aProcessThatIsKilledInTheMiddleOfItHindersNobody() {
        Initiator a = a();
        assertThat(out(a, 0, 0, 0, 0xA)).isZero();
        for (int round = 0; round < 3; round++) {
            try (SharingProcess other = SharingProcess.start(file)) {
                for (int i = 0; i < 200; i++) { // far more than it gets to
                    other.tell("b " + cdb(6, 0).replace(" ", "") + " "
                            + HexFormat.of().formatHex(parameters(0, i + 1, 0)));
                }
                assertThat(other.hear()).isEqualTo("0");
            }
            assertThat(out(a, 1, 1, 0xA, 0)).isZero();
            assertThat(writes(a)).isTrue();
            assertThat(a.in(READ_KEYS, 64).limit()).as("b's key and a's").isEqualTo(8 + 16);
        }
    }

    @Test
    void comparedAndWrittenIsAtOnceForAll() throws Exception {
        Initiator a = a();
        int each = 40;
        try (SharingProcess other = SharingProcess.start(file)) {
            var there = new Thread(() -> count(
                    each,
                    out -> {
                        String answer = other.run(
                                "b",
                                "89 00 0000000000000000 000000 01 00 00",
                                HexFormat.of().formatHex(out));
                        return answer.equals("0");
                    },
                    () -> Long.parseUnsignedLong(other.run("b", READ, "").substring(2, 18), 16)));
            there.start();
            count(
                    each,
                    out -> a.tryOut("89 00 0000000000000000 000000 01 00 00", out)
                                    .status()
                            == 0,
                    () -> first(a));
            there.join();
            assertThat(first(a)).isEqualTo(2L * each);
        }
    }

    private static void count(
            int times, java.util.function.Predicate<byte[]> compareAndWrite, java.util.function.LongSupplier read) {
        for (int done = 0; done < times; ) {
            long now = read.getAsLong();
            byte[] both = ByteBuffer.allocate(1024)
                    .putLong(0, now)
                    .putLong(512, now + 1)
                    .array();
            done += compareAndWrite.test(both) ? 1 : 0;
        }
    }

    @Test
    void aNameIsInOneProcess() {
        Initiator a = a();
        try (SharingProcess other = SharingProcess.start(file)) {
            assertThat(other.run("a", "00 00 00 00 00 00", "")).contains("port name a is used by another process");
            a.nexus.detach();
            assertThat(other.run("a", "00 00 00 00 00 00", "")).startsWith("0");
            assertThatThrownBy(() -> san.volumes().getFirst().unit().attach(new InitiatorPort("a")))
                    .isInstanceOfSatisfying(
                            HypervisorException.class, e -> assertThat(e.code()).isEqualTo("fc-name-in-use"));
        }
    }

    @Test
    @Timeout(60)
    void aProcessThatStandsStillIsNotWaitedForForEver() throws Exception {
        Initiator a = a();
        try (SharingProcess other = SharingProcess.start(file)) {
            assertThat(out(a, 0, 0, 0, 0xA)).isZero();
            other.run("b", "00 00 00 00 00 00", ""); // so that it is not still at rest for what has just changed
            signal("STOP", other);
            while (!standsStill(other)) {
                Thread.sleep(1);
            }
            assertThat(out(a, 1, 1, 0xA, 0)).isEqualTo(ScsiResult.BUSY);
            assertThat(writes(a)).isTrue();
            assertThat(a.in("5E 01 0000000000 0020 00", 32).limit())
                    .as("no reservation")
                    .isEqualTo(8);
            signal("CONT", other);
            assertThat(out(a, 1, 1, 0xA, 0)).isZero();
            assertThat(other.run("b", WRITE, BLOCK)).isEqualTo(CONFLICT);
        }
    }

    /** Its threads are stopped one after the other, some time after the signal. */
    private static boolean standsStill(SharingProcess process) throws IOException {
        try (Stream<Path> threads = Files.list(Path.of("/proc", Long.toString(process.pid()), "task"))) {
            for (Path thread : threads.toList()) {
                if (!Files.readString(thread.resolve("stat")).matches("(?s).*\\) T .*")) {
                    return false;
                }
            }
            return true;
        } catch (NoSuchFileException e) {
            return false; // one of them has just ended
        }
    }

    private static void signal(String name, SharingProcess to) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(to.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    @Test
    void whatShallPersistDoesAndTheRestEndsWithTheLast() {
        Initiator a = a();
        try (SharingProcess other = SharingProcess.start(file)) {
            assertThat(a.tryOut(cdb(0, 0), parameters(0, 0xA, 1)).status()).isZero();
            assertThat(out(a, 1, 3, 0xA, 0)).isZero();
            san.close();
            assertThat(other.run("b", WRITE, BLOCK)).isEqualTo(CONFLICT);
        }
        try (SharingProcess next = SharingProcess.start(file)) {
            assertThat(next.run("b", WRITE, BLOCK)).as("APTPL").isEqualTo(CONFLICT);
            assertThat(out(next, 6, 0, 0, 0xB)).isEqualTo("0");
            assertThat(out(next, 4, 1, 0xB, 0xA)).as("not to persist").isEqualTo("0");
        }
        try (SoftwareSan third = SoftwareSan.of("third")) {
            var c = new Initiator(third.open("shared", file, SHARED).unit(), "c");
            assertThat(writes(c)).isTrue();
            assertThat(c.in(READ_KEYS, 64).limit()).isEqualTo(8);
        }
    }

    private Path state() {
        return folder.resolve("shared.raw.shared");
    }

    private void patch(long at, byte... bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(state(), StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(bytes), at);
        }
    }

    private void assertNobodyJoins() {
        try (SoftwareSan late = SoftwareSan.of("late")) {
            assertThatThrownBy(() -> late.open("shared", file, SHARED))
                    .isInstanceOfSatisfying(
                            DiskException.class, e -> assertThat(e.kind()).isEqualTo(Kind.FORMAT));
        }
    }

    /** What those who are there know already is what they go by; their next change makes the file whole. */
    private void assertHeals(Initiator a, Initiator b) {
        assertThat(writes(b)).isFalse();
        assertThat(out(a, 2, 1, 0xA, 0)).isZero();
        assertThat(writes(b)).isTrue();
        SoftwareSan late = SoftwareSan.of("late");
        late.open("shared", file, SHARED);
        late.close();
    }

    /** a holds the reservation, and the file is damaged: who finds that lets nothing through any more. */
    private void assertNothingPasses(Initiator a, Initiator b) {
        assertThat(a.tryOut(cdb(2, 1), parameters(0xA, 0, 0)).status()).isEqualTo(ScsiResult.CHECK_CONDITION);
        Initiator.fails(a.tryOut(WRITE, new byte[512]), Sense.HARDWARE_ERROR, 0x4400);
        Initiator.fails(a.tryIn(READ, 512), Sense.HARDWARE_ERROR, 0x4400);
        // The other process looks when it is told that the file was written.
        ScsiResult last;
        do {
            last = b.tryOut(WRITE, new byte[512]);
            assertThat(last.status()).isNotZero();
        } while (last.status() == ScsiResult.RESERVATION_CONFLICT);
        Initiator.fails(last, Sense.HARDWARE_ERROR, 0x4400);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 39, 40, 4095, 4100, 8192})
    void aStateThatIsCutShortLetsNobodyPass(int length) throws Exception {
        Initiator a = a();
        try (SoftwareSan second = SoftwareSan.of("second")) {
            var b = new Initiator(second.open("shared", file, SHARED).unit(), "b");
            reserve(a);
            assertThat(writes(b)).as("it knows").isFalse();
            try (FileChannel channel = FileChannel.open(state(), StandardOpenOption.WRITE)) {
                channel.truncate(length);
            }
            assertNobodyJoins();
            if (length == 8192) {
                assertHeals(a, b);
            } else {
                assertNothingPasses(a, b);
            }
        }
    }

    /** Two changes, so that the state is in the first place, which is cut off last. */
    private static void reserve(Initiator a) {
        assertThat(out(a, 0, 0, 0, 0xA)).isZero();
        assertThat(out(a, 1, 1, 0xA, 0)).isZero();
        assertThat(out(a, 6, 0, 0, 0xA)).isZero();
    }

    @Test
    void damagedStatesLetNobodyPass() throws Exception {
        Random random = new Random(7);
        var places = new ArrayList<Long>();
        for (int i = 0; i < 16; i++) {
            places.add((long) random.nextInt(40));
            places.add(8192L + SharedStateFile.MOST_BYTES * (long) (i & 1) + random.nextInt(24));
        }
        for (long place : places) {
            try (SoftwareSan first = SoftwareSan.of("first");
                    SoftwareSan second = SoftwareSan.of("second")) {
                var a = new Initiator(first.open("shared", file, SHARED).unit(), "a");
                var b = new Initiator(second.open("shared", file, SHARED).unit(), "b");
                reserve(a);
                assertThat(writes(b)).as("it knows").isFalse();
                byte[] whole = Files.readAllBytes(state());
                boolean newest = (place < 8192 + SharedStateFile.MOST_BYTES) == (whole[23] % 2 == 0);
                patch(place, (byte) (whole[(int) place] ^ 0x15));
                if (place < 8192 || newest) {
                    assertNobodyJoins();
                }
                if (place < 8192) {
                    assertNothingPasses(a, b);
                } else {
                    assertHeals(a, b); // the older state is what a process leaves that was killed while it wrote
                }
            }
        }
    }

    @Test
    void aStateOfBeforeLetsNobodyPass() throws Exception {
        Initiator a = a();
        try (SoftwareSan second = SoftwareSan.of("second")) {
            var b = new Initiator(second.open("shared", file, SHARED).unit(), "b");
            byte[] before = Files.readAllBytes(state());
            reserve(a);
            patch(0, before);
            assertNothingPasses(a, b);
        }
        san.close();
        Files.write(state(), new byte[100]);
        try (SoftwareSan next = SoftwareSan.of("next")) {
            var c = new Initiator(next.open("shared", file, SHARED).unit(), "c");
            assertThat(writes(c)).as("nobody was there: the state is new").isTrue();
        }
    }

    @Test
    void aStateFileThatIsExchangedIsRefused() throws Exception {
        reserve(a());
        byte[] whole = Files.readAllBytes(state());
        Files.delete(state());
        assertThatThrownBy(() -> SoftwareSan.of("second").open("shared", file, SHARED))
                .isInstanceOf(DiskException.class)
                .hasMessageContaining("replaced while in use");
        Files.write(state(), whole);
        assertThatThrownBy(() -> SoftwareSan.of("third").open("shared", file, SHARED))
                .isInstanceOf(DiskException.class)
                .hasMessageContaining("replaced while in use");
    }

    private static void assertBusy(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        DiskException.class, e -> assertThat(e.kind()).isEqualTo(Kind.BUSY));
    }

    @Test
    void aDiskIsSharedByAllOrByNone() {
        try (Disk _ = DiskImage.open(file)) {
            assertBusy(() -> san.open("shared", file, SHARED));
        }
        try (Disk _ = DiskImage.open(file, DiskOptions.DEFAULT.withReadOnly(true))) {
            assertBusy(() -> san.open("shared", file, SHARED));
        }
        a();
        assertBusy(() -> DiskImage.open(file));
        assertBusy(() -> DiskImage.open(file, DiskOptions.DEFAULT.withReadOnly(true)));
        san.close();
        DiskImage.open(file).close();
    }

    @Test
    void onlyRawFilesThatAreWrittenAreShared() {
        Path other = folder.resolve("other.vhdx");
        DiskImage.create(other, ImageSpec.dynamic(ImageFormat.VHDX, 4 << 20));
        assertUnsupported(() -> san.open("other", other, SHARED), "VHDX");
        assertUnsupported(() -> san.open("other", file, SHARED.withReadOnly(true)), "read-only");
        assertUnsupported(() -> DiskImage.open(file, SHARED), "is no volume of a SAN");
    }

    private static void assertUnsupported(org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String why) {
        assertThatThrownBy(call)
                .hasMessageContaining(why)
                .isInstanceOfSatisfying(
                        DiskException.class, e -> assertThat(e.kind()).isEqualTo(Kind.UNSUPPORTED));
    }

    @Test
    void nothingIsCopiedThatOthersMayChange() {
        Initiator a = a();
        Initiator.fails(a.tryOut("83 00 0000000000000000 00000010 00 00", new byte[16]), 5, 0x2000);
        Initiator.fails(a.tryIn("12 01 8F 00FF 00", 255), 5, 0x2400);
        assertThat(a.in("12 00 00 00 24 00", 36).get(5) & 8).as("3PC").isZero();
    }
}
