package io.javisor.lab;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.tukaani.xz.SingleXZInputStream;

/**
 * The ELF kernel inside a bzImage. Unpacking it here takes a second, once; an emulated processor takes several, at each boot.
 * Offsets are those of the x86 boot protocol (Documentation/x86/boot.rst).
 */
final class KernelPayload {
    private static final int SETUP_SECTORS = 0x1F1;
    private static final int MAGIC = 0x202;
    private static final int HDRS = 0x53726448;
    private static final int PAYLOAD_OFFSET = 0x248;
    private static final int PAYLOAD_LENGTH = 0x24C;
    private static final byte[] XZ = {(byte) 0xFD, '7', 'z', 'X', 'Z', 0};
    private static final byte[] ZSTD = {0x28, (byte) 0xB5, 0x2F, (byte) 0xFD};
    private static final byte[] ELF = {0x7F, 'E', 'L', 'F'};

    private KernelPayload() {}

    /** Writes the ELF kernel to the target, or the bzImage itself if its payload cannot be read here. */
    static void extract(Path bzImage, Path target) throws IOException {
        byte[] payload = payload(Files.readAllBytes(bzImage));
        if (payload != null && begins(payload, XZ)) {
            try (InputStream in = new SingleXZInputStream(new ByteArrayInputStream(payload))) {
                Files.copy(in, target, StandardCopyOption.REPLACE_EXISTING);
            }
        } else if (payload != null && begins(payload, ZSTD) && Prerequisites.find("zstd") != null) {
            unzstd(payload, target);
        }
        if (!isElf(target)) {
            Files.copy(bzImage, target, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static byte @Nullable [] payload(byte[] image) {
        ByteBuffer header = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        if (image.length < PAYLOAD_LENGTH + 4 || header.getInt(MAGIC) != HDRS) {
            return null;
        }
        long setup = (1L + Math.max(header.get(SETUP_SECTORS) & 0xFF, 1)) * 512;
        long from = setup + Integer.toUnsignedLong(header.getInt(PAYLOAD_OFFSET));
        long to = from + Integer.toUnsignedLong(header.getInt(PAYLOAD_LENGTH));
        return to > image.length || to - from < 8 ? null : Arrays.copyOfRange(image, (int) from, (int) to);
    }

    /** The kernel's build appends the size to a zstd frame, as to others; the program would take it for a second frame. */
    private static void unzstd(byte[] payload, Path target) throws IOException {
        Process zstd = new ProcessBuilder("zstd", "-dcq")
                .redirectOutput(target.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (var in = zstd.getOutputStream()) {
            in.write(payload, 0, payload.length - 4);
        }
        try {
            if (!zstd.waitFor(1, TimeUnit.MINUTES)) {
                zstd.destroyForcibly();
                throw new IOException("zstd does not end");
            }
        } catch (InterruptedException e) {
            zstd.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while unpacking a kernel", e);
        }
    }

    private static boolean isElf(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return begins(in.readNBytes(ELF.length), ELF);
        }
    }

    private static boolean begins(byte[] bytes, byte[] magic) {
        return bytes.length >= magic.length && Arrays.equals(bytes, 0, magic.length, magic, 0, magic.length);
    }
}
