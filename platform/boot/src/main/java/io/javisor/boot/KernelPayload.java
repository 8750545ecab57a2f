package io.javisor.boot;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.compressors.lz4.BlockLZ4CompressorInputStream;
import org.tukaani.xz.SingleXZInputStream;

/**
 * The compressed vmlinux inside a bzImage. A guest that is given the vmlinux needs not unpack it, which on slow processors takes
 * longer than all else until {@code /init}; but it does without KASLR, which the unpacking code does. An immutable value that
 * holds nothing open.
 */
public final class KernelPayload {
    /** What a compressed kernel may unpack to at most, in bytes: 1 GiB, more than KERNEL_IMAGE_SIZE allows. */
    static final long MAX_LENGTH = 1L << 30;

    private static final int LZ4_BLOCK = 8 << 20; // of the legacy frame format
    private static final int XZ_MEMORY_KIB = 160 * 1024; // kernels use dictionaries of 32 to 128 MiB
    private static final int SIZE_FIELD =
            4; // the unpacked length ends every payload (arch/x86/boot/compressed/mkpiggy.c)

    /** How a kernel is compressed. */
    public enum Compression {
        /** {@code CONFIG_KERNEL_GZIP}. */
        GZIP,
        /** {@code CONFIG_KERNEL_XZ}. */
        XZ,
        /** {@code CONFIG_KERNEL_LZ4}: the legacy frame format. */
        LZ4,
        /** Anything else, {@code CONFIG_KERNEL_ZSTD} above all: only the guest can unpack it. */
        OTHER
    }

    private final BzImage image;
    private final Compression compression;
    private final long length;

    private KernelPayload(BzImage image, Compression compression, long length) {
        this.image = image;
        this.compression = compression;
        this.length = length;
    }

    /**
     * The payload of a kernel; none if it is no bzImage, or its header does not say where the payload is.
     *
     * @throws BootException if the file can't be read
     */
    public static Optional<KernelPayload> of(KernelImage kernel) {
        if (!(kernel instanceof BzImage image) || image.header().compressedLength() <= 2 * SIZE_FIELD) {
            return Optional.empty();
        }
        long start = image.header().compressedOffset();
        long end = start + image.header().compressedLength();
        byte[] head = new byte[SIZE_FIELD];
        byte[] size = new byte[SIZE_FIELD];
        try (ByteSource.Reader reader = image.source().open()) {
            if (reader.read(start, MemorySegment.ofArray(head)) < head.length
                    || reader.read(end - SIZE_FIELD, MemorySegment.ofArray(size)) < size.length) {
                throw BootException.truncated(image.source().name(), end, reader.length());
            }
        } catch (IOException e) {
            throw BootException.unreadable("kernel-missing", image.source().name(), e);
        }
        long length = Integer.toUnsignedLong(little(size).getInt());
        return Optional.of(new KernelPayload(image, compression(little(head).getInt()), length));
    }

    private static Compression compression(int magic) {
        if (magic == 0x184C2102) {
            return Compression.LZ4;
        }
        if (magic == 0x587A37FD) { // FD "7zX", then "Z"
            return Compression.XZ;
        }
        return (magic & 0xFFFF) == 0x8B1F ? Compression.GZIP : Compression.OTHER;
    }

    /** How it is compressed. */
    public Compression compression() {
        return compression;
    }

    /** How long it says that it is when it is unpacked, in bytes. */
    public long length() {
        return length;
    }

    /**
     * Unpacks the vmlinux into a file, which is there whole or not at all.
     *
     * @return the kernel in that file
     * @throws BootException code {@code kernel-image} if the payload is damaged, longer or shorter than it says, or no ELF kernel;
     *     code {@code kernel-missing} if a file can't be read or written
     * @throws IllegalStateException if {@link #compression()} is {@link Compression#OTHER}
     */
    public KernelImage extractTo(Path file) {
        String name = image.source().name();
        if (compression == Compression.OTHER) {
            throw new IllegalStateException(name + ": only the guest can unpack this kernel");
        }
        if (length > MAX_LENGTH) {
            throw BootException.kernel(name, "compressed kernel says that it unpacks to " + length + " bytes");
        }
        try {
            Path folder = file.toAbsolutePath().getParent();
            Path partial = Files.createTempFile(folder, "vmlinux", ".partial");
            try {
                try (OutputStream out = Files.newOutputStream(partial)) {
                    unpack(out);
                }
                KernelImage kernel = KernelImage.read(partial);
                if (!(kernel instanceof ElfImage)) {
                    throw BootException.kernel(name, "unpacks to something that is no ELF file");
                }
                Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(partial);
            }
            return KernelImage.read(file);
        } catch (IOException e) {
            throw BootException.unreadable("kernel-missing", file.toString(), e);
        }
    }

    /** Writes the unpacked kernel, exactly {@link #length()} bytes. */
    void unpack(OutputStream out) throws IOException {
        String name = image.source().name();
        SetupHeader header = image.header();
        var sink = new Bounded(out, length);
        // gzip keeps the length in its own trailer; the others have it appended.
        long packed = header.compressedLength() - (compression == Compression.GZIP ? 0 : SIZE_FIELD);
        try (ByteSource.Reader reader = image.source().open()) {
            var in = new BufferedInputStream(new Range(reader, header.compressedOffset(), packed), 1 << 16);
            switch (compression) {
                case GZIP -> new GZIPInputStream(in, 1 << 16).transferTo(sink);
                case XZ -> new SingleXZInputStream(in, XZ_MEMORY_KIB).transferTo(sink);
                case LZ4 -> unpackLz4(in, sink);
                case OTHER -> throw new IllegalStateException("not to be unpacked here");
            }
        } catch (IOException | IllegalArgumentException | IndexOutOfBoundsException e) {
            // Commons Compress throws unchecked exceptions too when a block is damaged.
            throw BootException.damaged(name, e);
        }
        if (sink.left != 0) {
            throw BootException.kernel(
                    name, "compressed kernel is " + sink.left + " bytes shorter than the " + length + " it says");
        }
    }

    // Magic, then blocks: compressed length, bytes (the legacy frame of LZ4's "Frame Format Description").
    private static void unpackLz4(InputStream in, OutputStream out) throws IOException {
        in.skipNBytes(4);
        byte[] word = new byte[4];
        while (in.readNBytes(word, 0, 4) == 4) {
            int packed = little(word).getInt();
            if (packed <= 0 || packed > LZ4_BLOCK + LZ4_BLOCK / 255 + 16) {
                throw new IOException("LZ4 block of " + Integer.toUnsignedString(packed) + " bytes");
            }
            byte[] block = in.readNBytes(packed);
            if (block.length < packed) {
                throw new IOException("LZ4 block of " + packed + " bytes is cut short");
            }
            try (var blockIn = new BlockLZ4CompressorInputStream(new ByteArrayInputStream(block))) {
                blockIn.transferTo(out);
            }
        }
    }

    private static ByteBuffer little(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A part of a source. */
    private static final class Range extends InputStream {
        private final ByteSource.Reader reader;
        private final long end;
        private long at;

        Range(ByteSource.Reader reader, long start, long length) {
            this.reader = reader;
            this.at = start;
            this.end = start + length;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] into, int offset, int count) throws IOException {
            if (count == 0) {
                return 0;
            }
            int want = (int) Math.min(count, end - at);
            long n = want <= 0 ? 0 : reader.read(at, MemorySegment.ofArray(into).asSlice(offset, want));
            at += n;
            return n == 0 ? -1 : (int) n;
        }
    }

    /** Refuses what is more than was said, before it is written. */
    private static final class Bounded extends OutputStream {
        private final OutputStream out;
        private long left;

        Bounded(OutputStream out, long length) {
            this.out = out;
            this.left = length;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int count) throws IOException {
            if (count > left) {
                throw new IOException("it is longer than it says");
            }
            left -= count;
            out.write(bytes, offset, count);
        }
    }
}
