package io.javisor.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.boot.KernelPayload.Compression;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.compressors.lz4.BlockLZ4CompressorOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

class KernelPayloadTest {
    @TempDir
    private Path folder;

    private interface Packer {
        OutputStream pack(OutputStream out) throws IOException;
    }

    /** A kernel of which most is noise and zeroes, so that it neither vanishes nor stays as it is. */
    private static byte[] vmlinux() {
        byte[] file = Arrays.copyOf(Kernels.elf(), 300_000);
        byte[] noise = new byte[50_000];
        new Random(1).nextBytes(noise);
        System.arraycopy(noise, 0, file, 100_000, noise.length);
        return file;
    }

    private static byte[] packed(Compression how) throws IOException {
        byte[] kernel = vmlinux();
        var out = new ByteArrayOutputStream();
        switch (how) {
            case GZIP -> pack(kernel, out, GZIPOutputStream::new);
            case XZ -> pack(kernel, out, o -> new XZOutputStream(o, new LZMA2Options(1)));
            case LZ4 -> {
                word(out, 0x184C2102);
                for (int at = 0; at < kernel.length; at += 100_000) { // three blocks
                    var block = new ByteArrayOutputStream();
                    pack(Arrays.copyOfRange(kernel, at, at + 100_000), block, BlockLZ4CompressorOutputStream::new);
                    word(out, block.size());
                    out.writeBytes(block.toByteArray());
                }
            }
            case OTHER -> out.write(new byte[] {0x28, (byte) 0xB5, 0x2F, (byte) 0xFD, 0, 0, 0, 0}); // zstd
        }
        if (how != Compression.GZIP) {
            word(out, kernel.length);
        }
        return out.toByteArray();
    }

    private static void pack(byte[] kernel, OutputStream out, Packer packer) throws IOException {
        try (OutputStream o = packer.pack(out)) {
            o.write(kernel);
        }
    }

    private static void word(OutputStream out, int value) throws IOException {
        out.write(ByteBuffer.allocate(4).putInt(Integer.reverseBytes(value)).array());
    }

    private static byte[] bzImage(byte[] payload) {
        byte[] file = Kernels.bzImage((0x400 + payload.length + 15) & -16);
        System.arraycopy(payload, 0, file, Kernels.SETUP + 0x400, payload.length);
        Kernels.fields(file).putInt(0x248, 0x400).putInt(0x24C, payload.length);
        return file;
    }

    @Test
    void everyCompressionUnpacksToTheSameKernel() throws Exception {
        for (Compression how : new Compression[] {Compression.GZIP, Compression.XZ, Compression.LZ4}) {
            var payload = KernelPayload.of(Kernels.read(bzImage(packed(how)))).orElseThrow();
            assertThat(payload.compression()).isEqualTo(how);
            assertThat(payload.length()).isEqualTo(300_000);
            Path file = folder.resolve("vmlinux-" + how);
            assertThat(payload.extractTo(file)).isInstanceOf(ElfImage.class);
            assertThat(Files.readAllBytes(file)).as(how.name()).isEqualTo(vmlinux());
        }
        assertThat(folder.toFile().list()).hasSize(3);
    }

    @Test
    void whatOnlyTheGuestCanUnpackIsSaid() throws Exception {
        var payload = KernelPayload.of(Kernels.read(bzImage(packed(Compression.OTHER))))
                .orElseThrow();
        assertThat(payload.compression()).isEqualTo(Compression.OTHER);
        assertThatThrownBy(() -> payload.extractTo(folder.resolve("vmlinux")))
                .isInstanceOf(IllegalStateException.class);
        assertThat(KernelPayload.of(Kernels.read(Kernels.elf()))).isEmpty();
    }

    @Test
    void aPayloadThatLiesAboutItsLengthIsRefused() throws Exception {
        for (int lie : new int[] {299_999, 300_001, 0}) {
            byte[] xz = packed(Compression.XZ);
            ByteBuffer.wrap(xz).putInt(xz.length - 4, Integer.reverseBytes(lie));
            refused(xz);
        }
        byte[] huge = packed(Compression.XZ);
        ByteBuffer.wrap(huge).putInt(huge.length - 4, -1);
        refused(huge);
        assertThat(folder.toFile().list()).isEmpty();
    }

    @Test
    void damagedPayloadsAreRefused() throws Exception {
        var random = new Random(7);
        int refused = 0;
        for (Compression how : new Compression[] {Compression.GZIP, Compression.XZ, Compression.LZ4}) {
            byte[] good = packed(how);
            for (int i = 0; i < 60; i++) {
                byte[] bad = good.clone();
                for (int k = 0; k < 3; k++) {
                    bad[4 + random.nextInt(bad.length - 8)] = (byte) random.nextInt();
                }
                try {
                    KernelPayload.of(Kernels.read(bzImage(bad))).orElseThrow().unpack(OutputStream.nullOutputStream());
                } catch (BootException e) {
                    assertThat(e.code()).isEqualTo("kernel-image");
                    refused++;
                }
            }
        }
        // LZ4 has no checksum: a changed literal is only found later, if at all.
        assertThat(refused).isGreaterThan(115);
    }

    private void refused(byte[] payload) {
        var p = KernelPayload.of(Kernels.read(bzImage(payload))).orElseThrow();
        assertThatThrownBy(() -> p.extractTo(folder.resolve("vmlinux")))
                .isInstanceOfSatisfying(
                        BootException.class, e -> assertThat(e.code()).isEqualTo("kernel-image"));
    }
}
