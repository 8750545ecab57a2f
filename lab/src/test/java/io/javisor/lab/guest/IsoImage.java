package io.javisor.lab.guest;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The least that is a CD (ECMA-119): a volume with one file of up to one sector.
 *
 * <pre>
 * sector 16 primary volume descriptor   17 end of descriptors   18 path table   19 root directory   20 the file
 * </pre>
 */
final class IsoImage {
    private static final int SECTOR = 2048;

    private IsoImage() {}

    static Path write(Path to, String name, String contents) throws IOException {
        ByteBuffer iso = ByteBuffer.allocate(64 * SECTOR).order(ByteOrder.LITTLE_ENDIAN);
        byte[] text = contents.getBytes(StandardCharsets.US_ASCII);
        int at = 16 * SECTOR;
        iso.put(at, (byte) 1).put(at + 1, "CD001\1".getBytes(StandardCharsets.US_ASCII));
        blank(iso, at + 8, 64);
        both32(iso, at + 80, 64);
        both16(iso, at + 120, 1);
        both16(iso, at + 124, 1);
        both16(iso, at + 128, SECTOR);
        both32(iso, at + 132, 10);
        iso.putInt(at + 140, 18);
        record(iso, at + 156, 19, SECTOR, 2, "\0");
        blank(iso, at + 190, 623);
        iso.put(at + 881, (byte) 1);
        iso.put(17 * SECTOR, (byte) 255).put(17 * SECTOR + 1, "CD001\1".getBytes(StandardCharsets.US_ASCII));
        iso.put(18 * SECTOR, (byte) 1).putInt(18 * SECTOR + 2, 19).putShort(18 * SECTOR + 6, (short) 1);
        int next = record(iso, 19 * SECTOR, 19, SECTOR, 2, "\0");
        next = record(iso, next, 19, SECTOR, 2, "\1");
        record(iso, next, 20, text.length, 0, name + ";1");
        iso.put(20 * SECTOR, text);
        return Files.write(to, iso.array());
    }

    private static int record(ByteBuffer iso, int at, int sector, int bytes, int flags, String name) {
        int length = (33 + name.length() + 1) & ~1;
        iso.put(at, (byte) length);
        both32(iso, at + 2, sector);
        both32(iso, at + 10, bytes);
        iso.put(at + 18, new byte[] {126, 1, 1, 0, 0, 0, 0}); // 1 January 2026
        iso.put(at + 25, (byte) flags);
        both16(iso, at + 28, 1);
        iso.put(at + 32, (byte) name.length()).put(at + 33, name.getBytes(StandardCharsets.US_ASCII));
        return at + length;
    }

    private static void blank(ByteBuffer iso, int at, int length) {
        iso.put(at, " ".repeat(length).getBytes(StandardCharsets.US_ASCII));
    }

    private static void both16(ByteBuffer iso, int at, int value) {
        iso.putShort(at, (short) value).putShort(at + 2, Short.reverseBytes((short) value));
    }

    private static void both32(ByteBuffer iso, int at, int value) {
        iso.putInt(at, value).putInt(at + 4, Integer.reverseBytes(value));
    }
}
