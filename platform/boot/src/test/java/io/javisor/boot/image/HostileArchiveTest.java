package io.javisor.boot.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Archives that someone made to do harm: always an {@link ImageException}, never a file elsewhere, never a full heap. */
class HostileArchiveTest {
    @TempDir
    Path folder;

    private static AbstractThrowableAssert<?, ?> refused(byte[] archive, String code) {
        return assertThatThrownBy(() -> image(archive).toBytes())
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    private static Initramfs image(byte[] archive) {
        return Initramfs.of(i -> i.limit(1 << 20).archive("", "test.tar", () -> new ByteArrayInputStream(archive)));
    }

    @Test
    void refusesNamesThatLeadOut() {
        refused(new TarBytes().file("../evil", "x").bytes(), "image-archive").hasMessageContaining("leads out");
        refused(new TarBytes().file("a/../../evil", "x").bytes(), "image-archive")
                .hasMessageContaining("leads out");
        refused(new TarBytes().file("/etc/passwd", "x").bytes(), "image-archive")
                .hasMessageContaining("absolute");
        refused(new TarBytes().hardLink("a", "../../etc/shadow").bytes(), "image-archive")
                .hasMessageContaining("leads out");
        refused(new TarBytes().hardLink("a", "nothing").bytes(), "image-path").hasMessageContaining("hard link");
    }

    @Test
    void neverWritesThroughALinkOnTheHost() throws Exception {
        Path victim = Files.createDirectory(folder.resolve("victim"));
        TarBytes tar = new TarBytes()
                .symlink("out", victim.toString())
                .file("out/evil", "x")
                .symlink("up", "../../victim")
                .file("up/evil", "x")
                .symlink("f", victim.resolve("evil").toString())
                .file("f", "x");
        image(tar.bytes()).unpackTo(folder.resolve("a/b"));
        try (var list = Files.list(victim)) {
            assertThat(list).isEmpty();
        }
        assertThat(Files.isSymbolicLink(folder.resolve("a/b/f"))).isFalse();
    }

    @Test
    void refusesLoopsOfLinks() {
        refused(
                        new TarBytes()
                                .symlink("a", "b")
                                .symlink("b", "a")
                                .file("a/x", "")
                                .bytes(),
                        "image-path")
                .hasMessageContaining("loop");
        refused(new TarBytes().symlink("a", "a/a/a/a/a").file("a/x", "").bytes(), "image-path")
                .hasMessageContaining("loop");
    }

    @Test
    void refusesAFileAsAFolder() {
        refused(new TarBytes().file("a", "").file("a/b", "").bytes(), "image-path")
                .hasMessageContaining("is a file");
    }

    @Test
    void limitsWhatAnArchiveExpandsTo() {
        refused(TarBytes.gzip(new TarBytes().file("zeros", "0".repeat(2 << 20)).bytes()), "image-limit");
    }

    @Test
    void limitsWhatASparseFileClaims() {
        byte[] tar = new TarBytes().file("a", "x".repeat(512)).bytes();
        tar[156] = 'S'; // old GNU sparse: sparse map at 386, real size at 483
        System.arraycopy("00000000000\0".getBytes(StandardCharsets.US_ASCII), 0, tar, 386, 12);
        System.arraycopy("00000001000\0".getBytes(StandardCharsets.US_ASCII), 0, tar, 398, 12);
        System.arraycopy("77777777777\0".getBytes(StandardCharsets.US_ASCII), 0, tar, 483, 12);
        System.arraycopy("ustar  \0".getBytes(StandardCharsets.US_ASCII), 0, tar, 257, 8);
        checksum(tar);
        assertThatThrownBy(() -> image(tar).toBytes()).isInstanceOf(ImageException.class);
    }

    @Test
    void limitsLongNamesHeldInMemory() throws Exception {
        java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            byte[] header =
                    Arrays.copyOf(new TarBytes().type("././@LongLink", 'L').bytes(), 512);
            System.arraycopy("17777777777\0".getBytes(StandardCharsets.US_ASCII), 0, header, 124, 12); // 2 GiB
            checksum(header);
            gzip.write(header);
            byte[] name = new byte[1 << 20];
            Arrays.fill(name, (byte) 'a');
            for (int i = 0; i < 300; i++) {
                gzip.write(name);
            }
        }
        refused(out.toByteArray(), "image-archive").hasMessageContaining("headers of one entry are longer");
    }

    @Test
    void refusesStacksOfHeaders() {
        java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
        byte[] header = Arrays.copyOf(new TarBytes().type("p", 'x').bytes(), 512);
        for (int i = 0; i < 100_000; i++) {
            out.writeBytes(header);
        }
        refused(out.toByteArray(), "image-archive");
    }

    @Test
    void refusesGarbageTruncationAndUnknownTypes() {
        byte[] random = new byte[8192];
        new Random(1).nextBytes(random);
        refused(random, "image-archive");
        refused(new byte[0], "image-archive").hasMessageContaining("empty");
        byte[] tar = new TarBytes().file("a", "x".repeat(5000)).bytes();
        refused(Arrays.copyOf(tar, 2000), "image-archive");
        byte[] gz = TarBytes.gzip(tar);
        refused(Arrays.copyOf(gz, gz.length - 20), "image-archive");
        refused(new TarBytes().type("v", 'V').bytes(), "image-archive").hasMessageContaining("unknown type");
        byte[] flipped = new TarBytes().file("a", "x").bytes();
        flipped[0] ^= 1;
        refused(flipped, "image-archive").hasMessageContaining("checksum");
    }

    @Test
    void limitsTheMemoryThatXzAsksFor() throws Exception {
        java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
        org.tukaani.xz.LZMA2Options options = new org.tukaani.xz.LZMA2Options(0);
        options.setDictSize(4096);
        try (org.tukaani.xz.XZOutputStream xz = new org.tukaani.xz.XZOutputStream(out, options)) {
            xz.write(new TarBytes().file("a", "x").bytes());
        }
        byte[] bytes = out.toByteArray();
        // the block header follows the 12-byte stream header: size, flags, filter 0x21, 1, dictionary size code
        assertThat(bytes[14]).isEqualTo((byte) 0x21);
        bytes[16] = 36; // 1 GiB
        java.util.zip.CRC32 crc = new java.util.zip.CRC32();
        int size = (bytes[12] + 1) * 4;
        crc.update(bytes, 12, size - 4);
        for (int i = 0; i < 4; i++) {
            bytes[12 + size - 4 + i] = (byte) (crc.getValue() >> (8 * i));
        }
        refused(bytes, "image-archive").hasMessageContaining("memory");
    }

    @Test
    void tellsAnArchiveThatChangesWhileItIsRead() {
        int[] opened = {0};
        Initramfs image = Initramfs.of(i -> i.archive("", "changing", () -> {
            TarBytes tar = opened[0]++ == 0 ? new TarBytes().file("a", "1234") : new TarBytes().file("a", "12");
            return new ByteArrayInputStream(tar.bytes());
        }));
        assertThatThrownBy(image::toBytes).isInstanceOf(ImageException.class).hasMessageContaining("changed");
    }

    @Test
    @Timeout(120)
    void survivesMutations() throws Exception {
        byte[] seed = new TarBytes()
                .folder("etc")
                .file("etc/a", "content")
                .symlink("l", "etc")
                .file("l/b", "x")
                .hardLink("h", "etc/a")
                .device("console", 5, 1)
                .file("n".repeat(150), "long")
                .file("etc/.wh.a", "")
                .bytes();
        byte[] small = Arrays.copyOf(seed, 512 * 20);
        int good = 0;
        Random random = new Random(42);
        for (int i = 0; i < 20_000; i++) {
            byte[] mutant = small.clone();
            int changes = 1 + random.nextInt(4);
            for (int c = 0; c < changes; c++) {
                int at = random.nextInt(20) * 512 + (random.nextBoolean() ? random.nextInt(350) : random.nextInt(512));
                mutant[at] = (byte) (random.nextBoolean() ? random.nextInt(256) : '0' + random.nextInt(8));
            }
            if (random.nextInt(4) != 0) { // so that parsing goes on behind the checksum
                for (int at = 0; at < mutant.length; at += 512) {
                    if (mutant[at + 257] == 'u') {
                        checksum(mutant, at);
                    }
                }
            }
            byte[] input = random.nextInt(8) == 0 ? Arrays.copyOf(mutant, random.nextInt(mutant.length)) : mutant;
            boolean layer = random.nextBoolean();
            try {
                new Assembly(
                                java.util.List.of(
                                        new Part.Archive("", "mutant", () -> new ByteArrayInputStream(input), layer)),
                                1 << 20)
                        .writeTo(new CpioSink(java.io.OutputStream.nullOutputStream()));
                good++;
            } catch (ImageException e) {
                assertThat(e.getMessage()).doesNotContain("\u0000");
            }
        }
        assertThat(good).isBetween(1000, 19_000); // else it would test only one side
    }

    static void checksum(byte[] header) {
        checksum(header, 0);
    }

    static void checksum(byte[] tar, int at) {
        Arrays.fill(tar, at + 148, at + 156, (byte) ' ');
        int sum = 0;
        for (int i = 0; i < 512; i++) {
            sum += tar[at + i] & 0xFF;
        }
        System.arraycopy(String.format("%06o\0 ", sum).getBytes(StandardCharsets.US_ASCII), 0, tar, at + 148, 8);
    }
}
