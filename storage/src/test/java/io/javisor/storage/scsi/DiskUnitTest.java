package io.javisor.storage.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.DiskOptions;
import io.javisor.storage.disk.IoMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each test is named after the commands that it covers; docs/storage.md lists them. */
class DiskUnitTest {
    private static final int BLOCKS = 2048;

    private final Disk disk = DiskImage.memory("unit", BLOCKS * 512L, 512);
    private final DiskUnit unit = new DiskUnit(disk);
    private final Initiator initiator = new Initiator(unit, "one");

    @TempDir
    Path folder;

    @AfterEach
    void close() {
        disk.close();
    }

    private static byte[] random(int length, int seed) {
        byte[] data = new byte[length];
        new Random(seed).nextBytes(data);
        return data;
    }

    private static String text(ByteBuffer data, int at, int length) {
        byte[] bytes = new byte[length];
        data.get(at, bytes);
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    private byte[] blocks(int lba, int count) {
        IoMemory memory = IoMemory.allocate(count * 512L);
        disk.read(lba * 512L, memory);
        return memory.toByteArray();
    }

    @Test
    void inquiry() {
        ByteBuffer data = initiator.in("12 00 00 00 FF 00", 255);
        assertThat(data.get(0)).isZero();
        assertThat(data.get(2)).isEqualTo((byte) 6);
        assertThat(data.get(4) + 5).isEqualTo(data.limit());
        assertThat(text(data, 8, 24)).isEqualTo("Msft    Virtual Disk    ");
        assertThat(initiator.in("12 00 00 00 24 00", 255).limit()).isEqualTo(36);
        Initiator.fails(initiator.tryIn("12 00 80 00 FF 00", 255), 5, 0x2400);
    }

    @Test
    void inquiryVitalProductData() {
        byte[] pages = initiator.in("12 01 00 00 FF 00", 255).array();
        assertThat(pages).containsExactly(0, 0, 0, 7, 0, 0x80, 0x83, 0x8F, 0xB0, 0xB1, 0xB2);
        for (int page : new int[] {0x80, 0x83, 0xB0, 0xB1, 0xB2}) {
            ByteBuffer data = initiator.in(String.format("12 01 %02X 00 FF 00", page), 255);
            assertThat(data.get(1) & 0xFF).isEqualTo(page);
            assertThat(data.getShort(2) + 4).isEqualTo(data.limit());
        }
        String serial = new String(initiator.in("12 01 80 00 FF 00", 255).array(), 4, 32, StandardCharsets.US_ASCII);
        assertThat(serial).isEqualTo(disk.traits().identity().toString().replace("-", ""));
        ByteBuffer id = initiator.in("12 01 83 00 FF 00", 255);
        assertThat(text(id, 8, 40)).isEqualTo("Msft    " + serial);
        assertThat(id.get(48 + 4) >> 4 & 0xF).as("NAA, locally assigned").isEqualTo(3);
        ByteBuffer limits = initiator.in("12 01 B0 00 FF 00", 255);
        assertThat(limits.getShort(2)).isEqualTo((short) 0x3C);
        assertThat(limits.getInt(20)).as("most blocks of an UNMAP").isEqualTo(1 << 21);
        assertThat(initiator.in("12 01 B2 00 FF 00", 255).get(5) & 0xC4).isEqualTo(0xC4);
        Initiator.fails(initiator.tryIn("12 01 B9 00 FF 00", 255), 5, 0x2400);
    }

    @Test
    void testUnitReadyAndRequestSense() {
        initiator.good("00 00 00 00 00 00");
        assertThat(initiator.in("03 00 00 00 12 00", 18).get(2)).isZero();
        initiator.nexus.raise(Sense.capacityChanged());
        assertThat(initiator.in("12 00 00 00 24 00", 36).limit())
                .as("an attention does not stop INQUIRY")
                .isEqualTo(36);
        Initiator.fails(initiator.run("00 00 00 00 00 00"), 6, 0x2A09);
        initiator.good("00 00 00 00 00 00");
        initiator.nexus.raise(Sense.powerOn());
        ByteBuffer sense = initiator.in("03 00 00 00 12 00", 18);
        assertThat(sense.get(0) & 0x7F).isEqualTo(0x70);
        assertThat(sense.get(2)).isEqualTo((byte) 6);
        assertThat(sense.getShort(12)).isEqualTo((short) 0x2900);
        initiator.good("00 00 00 00 00 00");
    }

    @Test
    void readCapacity() {
        ByteBuffer ten = initiator.in("25 00 00000000 0000 00 00", 8);
        assertThat(ten.getInt(0)).isEqualTo(BLOCKS - 1);
        assertThat(ten.getInt(4)).isEqualTo(512);
        ByteBuffer sixteen = initiator.in("9E 10 0000000000000000 00000020 00 00", 32);
        assertThat(sixteen.getLong(0)).isEqualTo(BLOCKS - 1);
        assertThat(sixteen.getInt(8)).isEqualTo(512);
        assertThat(sixteen.get(13)).as("8 blocks in a physical one").isEqualTo((byte) 3);
        assertThat(sixteen.get(14) & 0xC0).isEqualTo(0xC0);
        try (Disk large = DiskImage.memory("large", 3L << 40, 512)) {
            var other = new Initiator(new DiskUnit(large), "one");
            assertThat(other.in("25 00 00000000 0000 00 00", 8).getInt(0)).isEqualTo(-1);
            assertThat(other.in("9E 10 0000000000000000 00000020 00 00", 32).getLong(0))
                    .isEqualTo((3L << 31) - 1);
        }
    }

    @Test
    void readsAndWritesInAllLengthsOfCommands() {
        String[][] commands = {
            {"0A 00 00 05 02 00", "08 00 00 05 02 00"},
            {"2A 00 00000005 00 0002 00", "28 00 00000005 00 0002 00"},
            {"AA 00 00000005 00000002 00 00", "A8 00 00000005 00000002 00 00"},
            {"8A 00 0000000000000005 00000002 00 00", "88 00 0000000000000005 00000002 00 00"},
        };
        for (int i = 0; i < commands.length; i++) {
            byte[] data = random(1024, i);
            initiator.out(commands[i][0], data);
            assertThat(blocks(5, 2)).isEqualTo(data);
            assertThat(initiator.in(commands[i][1], 1024).array()).isEqualTo(data);
        }
        byte[] many = random(256 * 512, 9);
        initiator.out("0A 00 00 00 00 00", many);
        assertThat(initiator.in("08 00 00 00 00 00", 256 * 512).array())
                .as("0 blocks are 256")
                .isEqualTo(many);
        byte[] durable = random(512, 10);
        initiator.out("8A 08 0000000000000007 00000001 00 00", durable);
        assertThat(initiator.in("88 08 0000000000000007 00000001 00 00", 512).array())
                .isEqualTo(durable);
        initiator.good("28 00 00000000 00 0000 00");
    }

    @Test
    void transfersBeyondTheEndFailWithSense() {
        for (String command : new String[] {
            "28 00 000007FF 00 0002 00",
            "28 00 FFFFFFFF 00 0001 00",
            "88 00 FFFFFFFFFFFFFFFF 00000001 00 00",
            "88 00 7FFFFFFFFFFFFFFF 00000001 00 00",
            "88 00 0000000000000000 FFFFFFFF 00 00",
            "08 1F FF FF 01 00",
            "8F 00 0000000000000800 00000001 00 00",
            "9E 12 0000000000000800 00000018 00 00"
        }) {
            Initiator.fails(initiator.tryIn(command, 4096), 5, 0x2100);
        }
        Initiator.fails(initiator.tryOut("2A 00 00000800 00 0001 00", new byte[512]), 5, 0x2100);
        Initiator.fails(initiator.tryOut("93 00 00000000000007FF 00000002 00 00", new byte[512]), 5, 0x2100);
        Initiator.fails(initiator.run("35 00 00000801 00 0000 00"), 5, 0x2100);
    }

    @Test
    void memorySmallerThanTheCommandIsRefused() {
        Initiator.fails(initiator.tryIn("28 00 00000000 00 0004 00", 2047), 5, 0x2400);
        Initiator.fails(initiator.tryOut("2A 00 00000000 00 0004 00", new byte[2047]), 5, 0x2400);
        Initiator.fails(initiator.run("88 00 0000000000000000 00000001 00 00"), 5, 0x2400);
    }

    @Test
    void unknownCommandsAndFieldsAreRefused() {
        Initiator.fails(initiator.run("FF"), 5, 0x2000);
        Initiator.fails(initiator.run("9E 1F"), 5, 0x2400);
        Initiator.fails(initiator.tryIn("28 20 00000000 00 0001 00", 512), 5, 0x2400); // protection information
    }

    @Test
    void synchronizeCache() {
        initiator.good("35 00 00000000 00 0000 00");
        initiator.good("91 00 0000000000000000 00000000 00 00");
    }

    @Test
    void verify() {
        byte[] data = random(1024, 1);
        initiator.out("2A 00 00000000 00 0002 00", data);
        initiator.good("2F 00 00000000 00 0002 00");
        initiator.out("2F 02 00000000 00 0002 00", data);
        initiator.out("8F 02 0000000000000000 00000002 00 00", data);
        initiator.out("AF 02 00000000 00000002 00 00", data);
        data[700]++;
        ScsiResult different = initiator.tryOut("8F 02 0000000000000000 00000002 00 00", data);
        Initiator.fails(different, 14, 0x1D00);
        assertThat(Objects.requireNonNull(different.sense()).information()).isEqualTo(700);
    }

    @Test
    void compareAndWrite() {
        byte[] old = random(512, 1);
        byte[] fresh = random(512, 2);
        initiator.out("2A 00 00000003 00 0001 00", old);
        byte[] both = Arrays.copyOf(old, 1024);
        System.arraycopy(fresh, 0, both, 512, 512);
        initiator.out("89 00 0000000000000003 000000 01 00 00", both);
        assertThat(blocks(3, 1)).isEqualTo(fresh);
        Initiator.fails(initiator.tryOut("89 00 0000000000000003 000000 01 00 00", both), 14, 0x1D00);
        assertThat(blocks(3, 1)).isEqualTo(fresh);
    }

    @Test
    void compareAndWriteIsAtomicAmongInitiators() throws Exception {
        int threads = 4;
        int each = 200;
        var failures = new AtomicInteger();
        try (var pool = Executors.newFixedThreadPool(threads)) {
            for (int t = 0; t < threads; t++) {
                var mine = new Initiator(unit, "thread" + t);
                var _ = pool.submit(() -> {
                    for (int done = 0; done < each; ) {
                        byte[] now = mine.in("28 00 00000000 00 0001 00", 512).array();
                        byte[] both = Arrays.copyOf(now, 1024);
                        ByteBuffer.wrap(both).putLong(512, ByteBuffer.wrap(now).getLong(0) + 1);
                        if (mine.tryOut("89 00 0000000000000000 000000 01 00 00", both)
                                        .status()
                                == 0) {
                            done++;
                        } else {
                            failures.incrementAndGet();
                        }
                    }
                });
            }
        }
        assertThat(ByteBuffer.wrap(blocks(0, 1)).getLong(0)).isEqualTo((long) threads * each);
    }

    @Test
    void writeSame() {
        byte[] pattern = random(512, 1);
        initiator.out("93 00 0000000000000002 00000003 00 00", pattern);
        assertThat(blocks(4, 1)).isEqualTo(pattern);
        assertThat(blocks(5, 1)).containsOnly(0);
        initiator.out("41 00 00000005 00 0001 00", pattern);
        assertThat(blocks(5, 1)).isEqualTo(pattern);
        initiator.out("93 08 0000000000000002 00000002 00 00", new byte[512]);
        assertThat(blocks(2, 2)).containsOnly(0);
        initiator.good("93 09 0000000000000004 00000002 00 00"); // no data-out buffer: zeroes
        assertThat(blocks(0, 8)).containsOnly(0);
        Initiator.fails(initiator.tryOut("93 00 0000000000000000 00000000 00 00", new byte[512]), 5, 0x2400);
        Initiator.fails(initiator.tryOut("93 00 0000000000000000 00200001 00 00", new byte[512]), 5, 0x2400);
    }

    private static byte[] unmapList(long... pairs) {
        ByteBuffer list = ByteBuffer.allocate(8 + pairs.length / 2 * 16);
        list.putShort((short) (list.capacity() - 2))
                .putShort((short) (list.capacity() - 8))
                .putInt(0);
        for (int i = 0; i < pairs.length; i += 2) {
            list.putLong(pairs[i]).putInt((int) pairs[i + 1]).putInt(0);
        }
        return list.array();
    }

    @Test
    void unmap() {
        initiator.out("2A 00 00000000 00 0010 00", random(16 * 512, 3));
        initiator.out("42 00 00000000 00 0028 00", unmapList(2, 3, 8, 1));
        assertThat(blocks(2, 3)).containsOnly(0);
        assertThat(blocks(8, 1)).containsOnly(0);
        assertThat(blocks(5, 1)).isNotEqualTo(new byte[512]);
        byte[] before = blocks(0, 16);
        Initiator.fails(initiator.tryOut("42 00 00000000 00 0028 00", unmapList(0, 3, BLOCKS, 1)), 5, 0x2100);
        assertThat(blocks(0, 16)).as("checked before anything is done").isEqualTo(before);
        Initiator.fails(initiator.tryOut("42 00 00000000 00 0028 00", new byte[8]), 5, 0x1A00);
        initiator.good("42 00 00000000 00 0000 00");
    }

    @Test
    void getLbaStatus() {
        ByteBuffer status = initiator.in("9E 12 0000000000000004 00000018 00 00", 24);
        assertThat(status.getInt(0)).isEqualTo(20);
        assertThat(status.getLong(8)).isEqualTo(4);
        assertThat(status.getInt(16)).isEqualTo(BLOCKS - 4);
    }

    @Test
    void modeSense() {
        ByteBuffer six = initiator.in("1A 00 3F 00 FF 00", 255);
        assertThat(six.get(0) + 1).isEqualTo(six.limit());
        assertThat(six.get(2) & 0x90).as("FUA, not write-protected").isEqualTo(0x10);
        assertThat(six.getInt(4)).isEqualTo(BLOCKS);
        assertThat(six.get(12) & 0x3F).isEqualTo(8);
        assertThat(six.get(14) & 4).as("write cache").isEqualTo(4);
        ByteBuffer ten = initiator.in("5A 08 08 00 000000 00FF 00", 255);
        assertThat(ten.limit()).isEqualTo(28);
        assertThat(initiator.in("5A 10 3F FF 000000 00FF 00", 255).getShort(6))
                .as("long descriptor")
                .isEqualTo((short) 16);
        assertThat(initiator.in("1A 08 48 00 FF 00", 255).get(6))
                .as("nothing can be changed")
                .isZero();
        Initiator.fails(initiator.tryIn("1A 00 1C 00 FF 00", 255), 5, 0x2400);
        Initiator.fails(initiator.tryIn("1A 00 C8 00 FF 00", 255), 5, 0x3900);
    }

    @Test
    void startStopUnitAndPreventAllowMediumRemoval() {
        initiator.good("1B 00 00 00 00 00");
        initiator.good("1B 00 00 00 01 00");
        initiator.good("1E 00 00 00 01 00");
        initiator.good("1E 00 00 00 00 00");
    }

    @Test
    void reportSupportedOperationCodes() {
        ByteBuffer all = initiator.in("A3 0C 00 00 0000 00002000 00 00", 8192);
        assertThat(all.getInt(0) / 8).isEqualTo(unit.commands().size()).isGreaterThan(35);
        ByteBuffer one = initiator.in("A3 0C 01 88 0000 00000040 00 00", 64);
        assertThat(one.get(1)).isEqualTo((byte) 3);
        assertThat(one.getShort(2)).isEqualTo((short) 16);
        assertThat(one.get(4) & 0xFF).isEqualTo(0x88);
        assertThat(initiator.in("A3 0C 01 EE 0000 00000040 00 00", 64).get(1)).isEqualTo((byte) 1);
        assertThat(initiator.in("A3 0C 02 9E 0010 00000040 00 00", 64).get(1)).isEqualTo((byte) 3);
    }

    @Test
    void aReadOnlyDiskRefusesEveryWayToWrite() throws IOException {
        Path path = Files.write(folder.resolve("ro.img"), new byte[8192]);
        try (Disk readOnly = DiskImage.open(path, DiskOptions.DEFAULT.withReadOnly(true))) {
            var other = new Initiator(new DiskUnit(readOnly), "one");
            Initiator.fails(other.tryOut("2A 00 00000000 00 0001 00", new byte[512]), 7, 0x2700);
            Initiator.fails(other.tryOut("93 00 0000000000000000 00000001 00 00", new byte[512]), 7, 0x2700);
            Initiator.fails(other.tryOut("42 00 00000000 00 0018 00", unmapList(0, 1)), 7, 0x2700);
            Initiator.fails(other.tryOut("89 00 0000000000000000 000000 01 00 00", new byte[1024]), 7, 0x2700);
            other.good("35 00 00000000 00 0000 00");
            assertThat(other.in("1A 00 3F 00 FF 00", 255).get(2) & 0x80).isEqualTo(0x80);
        }
    }

    @Test
    void aClosedDiskIsNotReady() {
        disk.close();
        Initiator.fails(initiator.tryIn("28 00 00000000 00 0001 00", 512), 2, 0x0400);
    }

    @Test
    void everyPossibleFirstBytesEndInAStatus() {
        var random = new Random(99);
        for (int i = 0; i < 20_000; i++) {
            byte[] cdb = new byte[16];
            random.nextBytes(cdb);
            cdb[0] = (byte) i;
            if (i % 3 == 0) {
                Arrays.fill(cdb, 2, 9, (byte) 0);
            }
            ScsiResult in =
                    initiator.nexus.execute(ScsiCommand.reading(cdb, IoMemory.of(new byte[random.nextInt(3000)])));
            ScsiResult out =
                    initiator.nexus.execute(ScsiCommand.writing(cdb, IoMemory.of(new byte[random.nextInt(3000)])));
            for (ScsiResult result : new ScsiResult[] {in, out}) {
                assertThat(result.sense()).isNotEqualTo(Sense.TARGET_FAILURE);
            }
        }
    }
}
