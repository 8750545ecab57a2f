package io.javisor.storage.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.IoMemory;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Copies between disks that pass no data through the initiator. */
class CopyCommandsTest {
    private static final int BLOCKS = 16384;

    private final Disk first = DiskImage.memory("first", BLOCKS * 512L, 512);
    private final Disk second = DiskImage.memory("second", BLOCKS * 512L, 512);
    private final Disk large = DiskImage.memory("large", BLOCKS * 512L, 4096);
    private final Disk elsewhere = DiskImage.memory("elsewhere", BLOCKS * 512L, 512);
    private final byte[] data = new byte[BLOCKS * 256];
    private final CopyDomain domain = new CopyDomain();
    private Initiator one;
    private Initiator two;
    private Initiator three;
    private Initiator other;

    @BeforeEach
    void plugIn() {
        new Random(5).nextBytes(data);
        first.write(0, IoMemory.of(data), false);
        one = new Initiator(new DiskUnit(first), "vm");
        two = new Initiator(new DiskUnit(second), "vm");
        three = new Initiator(new DiskUnit(large), "vm");
        other = new Initiator(new DiskUnit(elsewhere), "other");
        new ScsiTarget(false, domain).add(0, one.nexus);
        var target = new ScsiTarget(false, domain);
        target.add(0, two.nexus);
        target.add(1, three.nexus);
        new ScsiTarget(false).add(0, other.nexus);
    }

    @AfterEach
    void close() {
        first.close();
        second.close();
        large.close();
        elsewhere.close();
    }

    private static byte[] read(Disk disk, long at, int length) {
        IoMemory memory = IoMemory.allocate(length);
        disk.read(at, memory);
        return memory.toByteArray();
    }

    /** The NAA designator of a unit, as it stands in page 0x83. */
    private static byte[] naa(Initiator unit) {
        ByteBuffer page = unit.in("12 01 83 00 FF 00", 255);
        for (int at = 4; at < page.capacity(); at += 4 + (page.get(at + 3) & 0xFF)) {
            if ((page.get(at + 1) & 0x3F) == 3) {
                byte[] found = new byte[12];
                page.get(at, found);
                return found;
            }
        }
        throw new AssertionError("no NAA designator");
    }

    private static byte[] list(Initiator from, Initiator to, int flags, int blocks, long readAt, long writeAt) {
        ByteBuffer list = ByteBuffer.allocate(16 + 64 + 28);
        list.putShort(2, (short) 64).putInt(8, 28);
        list.put(16, (byte) 0xE4).put(20, naa(from)).put(48, (byte) 0xE4).put(52, naa(to));
        list.put(80, (byte) 2).put(81, (byte) flags).putShort(82, (short) 24);
        list.putShort(84, (short) 0).putShort(86, (short) 1).putShort(90, (short) blocks);
        list.putLong(92, readAt).putLong(100, writeAt);
        return list.array();
    }

    private static String cdb(int serviceAction, int listId, int length) {
        return String.format("83 %02X 00 00 00 00 %08X %08X 00 00", serviceAction, listId, length);
    }

    @Test
    void extendedCopy() {
        byte[] list = list(one, two, 0, 4000, 100, 3000);
        two.out(cdb(0, 0, list.length), list);
        assertThat(read(second, 3000 * 512, 4000 * 512))
                .isEqualTo(java.util.Arrays.copyOfRange(data, 51200, 2_099_200));
        assertThat(read(second, 2999 * 512, 512)).containsOnly(0);
        assertThat(read(second, 7000 * 512, 512)).containsOnly(0);
        // By the target's blocks, sent to the source; what is a hole stays one.
        list = list(one, three, 2, 10, 8, 1);
        one.out(cdb(0, 0, list.length), list);
        assertThat(read(large, 4096, 40960)).isEqualTo(java.util.Arrays.copyOfRange(data, 4096, 45056));
        second.write(0, IoMemory.of(java.util.Arrays.copyOf(data, 512)), false);
        list = list(one, two, 0, 1, 12000, 0);
        one.out(cdb(0, 0, list.length), list);
        assertThat(read(second, 0, 512)).containsOnly(0);
        one.good(cdb(0, 0, 0));
    }

    @Test
    void extendedCopyRefusesWhatItCannotDo() {
        byte[] good = list(one, two, 0, 1, 0, 0);
        String send = cdb(0, 0, good.length);
        byte[] beyond = list(one, two, 0, 2, BLOCKS - 1, 0);
        Initiator.fails(one.tryOut(send, beyond), 5, 0x2100);
        byte[] odd = list(one, three, 0, 1, 0, 0);
        Initiator.fails(one.tryOut(send, odd), 5, 0x2600);
        byte[] hidden = list(one, other, 0, 1, 0, 0);
        Initiator.fails(one.tryOut(send, hidden), 10, 0x0D02);
        byte[] kind = good.clone();
        kind[80] = 3;
        Initiator.fails(one.tryOut(send, kind), 5, 0x2600);
        byte[] descriptor = good.clone();
        descriptor[16] = (byte) 0xE0;
        Initiator.fails(one.tryOut(send, descriptor), 5, 0x2600);
        byte[] index = good.clone();
        index[87] = 2;
        Initiator.fails(one.tryOut(send, index), 5, 0x2600);
        byte[] inline = good.clone();
        inline[15] = 1;
        Initiator.fails(one.tryOut(send, inline), 5, 0x1A00);
        Initiator.fails(one.tryOut(cdb(0, 0, good.length - 1), good), 5, 0x1A00);
        Initiator.fails(one.tryOut(cdb(0, 0, 0x7FFFFFFF), good), 5, 0x1A00);
        assertThat(read(second, 0, 512)).containsOnly(0);
    }

    @Test
    void othersReservationsHoldForCopies() {
        var rival = new Initiator(two.nexus.unit(), "rival");
        rival.out("5F 06 00 00 00 00 00 00 18 00", key(1));
        rival.out(
                "5F 01 03 00 00 00 00 00 18 00",
                ByteBuffer.allocate(24).putLong(0, 1).array()); // exclusive access
        byte[] list = list(one, two, 0, 1, 0, 0);
        assertThat(one.tryOut(cdb(0, 0, list.length), list).status()).isEqualTo(ScsiResult.RESERVATION_CONFLICT);
        list = list(two, one, 0, 1, 0, 0);
        assertThat(one.tryOut(cdb(0, 0, list.length), list).status()).isEqualTo(ScsiResult.RESERVATION_CONFLICT);
    }

    private static byte[] key(long key) {
        return ByteBuffer.allocate(24).putLong(8, key).array();
    }

    @Test
    void extendedCopyLimits() {
        ByteBuffer limits = one.in("84 03 00 00 00 00 00 00 00 00 00 00 02 00 00 00", 512);
        assertThat(limits.getInt(0)).isEqualTo(limits.capacity() - 4);
        assertThat(limits.getShort(8)).isEqualTo((short) 16);
        assertThat(limits.get(43)).isEqualTo((byte) 2);
        assertThat(limits.getShort(44)).isEqualTo((short) 0x02E4);
        assertThat(one.in("12 00 00 00 FF 00", 255).get(5) & 8).isEqualTo(8);
        ByteBuffer page = one.in("12 01 8F 02 00 00", 512);
        int at = 4;
        while (at < page.capacity()) {
            at += 4 + Short.toUnsignedInt(page.getShort(at + 2));
        }
        assertThat(at).as("descriptors fill the page").isEqualTo(page.capacity());
    }

    private static byte[] populate(long... lbaAndBlocks) {
        return ranges(16, lbaAndBlocks).array();
    }

    private static ByteBuffer ranges(int at, long... lbaAndBlocks) {
        ByteBuffer list = ByteBuffer.allocate(at + lbaAndBlocks.length * 8);
        list.putShort(0, (short) (list.capacity() - 2)).putShort(at - 2, (short) (lbaAndBlocks.length * 8));
        for (int i = 0; i < lbaAndBlocks.length; i += 2) {
            list.putLong(at + i * 8, lbaAndBlocks[i]).putInt(at + i * 8 + 8, (int) lbaAndBlocks[i + 1]);
        }
        return list;
    }

    private static byte[] write(byte[] token, long offset, long... lbaAndBlocks) {
        return ranges(536, lbaAndBlocks).putLong(8, offset).put(16, token).array();
    }

    private static ByteBuffer information(Initiator of, int listId) {
        return of.in(String.format("84 07 %08X 00 00 00 00 00 00 04 00 00 00", listId), 1024);
    }

    private static byte[] token(ByteBuffer information) {
        assertThat(information.get(5)).isEqualTo((byte) 1);
        assertThat(information.getInt(32)).isEqualTo(514);
        byte[] token = new byte[512];
        information.get(38, token);
        return token;
    }

    private byte[] populated(int listId, long... lbaAndBlocks) {
        byte[] list = populate(lbaAndBlocks);
        one.out(cdb(0x10, listId, list.length), list);
        return token(information(one, listId));
    }

    @Test
    void offloadedCopy() {
        byte[] token = populated(7, 10, 1000, 5000, 100);
        assertThat(ByteBuffer.wrap(token).getInt(0)).isEqualTo(0x00800000);
        assertThat(ByteBuffer.wrap(token).getLong(56)).isEqualTo(1100 * 512L);
        byte[] list = write(token, 5, 0, 500, 2000, 600);
        two.out(cdb(0x11, 8, list.length), list);
        assertThat(read(second, 0, 500 * 512)).isEqualTo(java.util.Arrays.copyOfRange(data, 15 * 512, 515 * 512));
        assertThat(read(second, 2000 * 512, 495 * 512))
                .isEqualTo(java.util.Arrays.copyOfRange(data, 515 * 512, 1010 * 512));
        assertThat(read(second, 2495 * 512, 100 * 512))
                .isEqualTo(java.util.Arrays.copyOfRange(data, 5000 * 512, 5100 * 512));
        ByteBuffer done = information(two, 8);
        assertThat(done.get(4)).isEqualTo((byte) 0x11);
        assertThat(done.get(15)).isEqualTo((byte) 0xF1);
        assertThat(done.getLong(16))
                .as("the token has 1,095 blocks after the offset")
                .isEqualTo(1095);
        Initiator.fails(one.tryIn("84 07 00 00 00 63 00 00 00 00 00 00 04 00 00 00", 1024), 5, 0x2400);
        list = write(token, 1101, 0, 1);
        Initiator.fails(two.tryOut(cdb(0x11, 9, list.length), list), 5, 0x2600);
        assertThat(information(two, 9).get(5)).isEqualTo((byte) 2);
    }

    @Test
    void zeroToken() {
        second.write(0, IoMemory.of(java.util.Arrays.copyOf(data, 8192)), false);
        byte[] zeroes = ByteBuffer.allocate(512).putInt(0, 0xFFFF0001).array();
        byte[] list = write(zeroes, 0, 1, 2, 5, 1);
        two.out(cdb(0x11, 1, list.length), list);
        byte[] expected = java.util.Arrays.copyOf(data, 8192);
        java.util.Arrays.fill(expected, 512, 1536, (byte) 0);
        java.util.Arrays.fill(expected, 2560, 3072, (byte) 0);
        assertThat(read(second, 0, 8192)).isEqualTo(expected);
    }

    @Test
    void tokensEndWithTheirData() {
        byte[] token = populated(1, 100, 10);
        one.out("2A 00 00 00 00 6E 00 00 01 00", new byte[512]); // beside it
        byte[] list = write(token, 0, 0, 10);
        two.out(cdb(0x11, 2, list.length), list);
        one.out("2A 00 00 00 00 6D 00 00 01 00", new byte[512]); // its last block
        Initiator.fails(two.tryOut(cdb(0x11, 2, list.length), list), 5, 0x2304);
        assertThat(information(one, 1).getInt(32)).isZero();
        byte[] forged = populated(3, 0, 1);
        forged[200] ^= 1;
        byte[] wrong = write(forged, 0, 0, 1);
        Initiator.fails(two.tryOut(cdb(0x11, 2, wrong.length), wrong), 5, 0x2304);
        byte[] abroad = write(populated(4, 0, 1), 0, 0, 1);
        Initiator.fails(other.tryOut(cdb(0x11, 2, abroad.length), abroad), 5, 0x2304);
        byte[] once = write(populated(5, 0, 1), 0, 0, 1);
        once[2] = 2;
        two.out(cdb(0x11, 2, once.length), once);
        Initiator.fails(two.tryOut(cdb(0x11, 2, once.length), once), 5, 0x2304);
        byte[] tooMany = populate(0, BLOCKS + 1);
        Initiator.fails(one.tryOut(cdb(0x10, 1, tooMany.length), tooMany), 5, 0x2100);
        byte[] type = populate(0, 1);
        type[2] = 2;
        type[9] = 1;
        Initiator.fails(one.tryOut(cdb(0x10, 1, type.length), type), 5, 0x2301);
    }
}
