package io.javisor.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.topology.AddressSpacePlan;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelImageTest {
    private static final long MIB = 1L << 20;

    private static AbstractThrowableAssert<?, ?> refused(byte[] file, Consumer<ByteBuffer> spoil) {
        spoil.accept(Kernels.fields(file));
        return assertThatThrownBy(() -> Kernels.read(file))
                .isInstanceOfSatisfying(
                        BootException.class, e -> assertThat(e.code()).isEqualTo("kernel-image"));
    }

    private static AbstractThrowableAssert<?, ?> bzImage(Consumer<ByteBuffer> spoil) {
        return refused(Kernels.bzImage(0x1000), spoil);
    }

    private static AbstractThrowableAssert<?, ?> elf(Consumer<ByteBuffer> spoil) {
        return refused(Kernels.elf(), spoil);
    }

    @Test
    void whatIsNotThereOrNotAKernel(@TempDir Path folder) {
        assertThatThrownBy(() -> KernelImage.read(folder.resolve("none")))
                .isInstanceOfSatisfying(
                        BootException.class, e -> assertThat(e.code()).isEqualTo("kernel-missing"))
                .hasMessageContaining("none");
        assertThatThrownBy(() -> KernelImage.read(folder))
                .isInstanceOfSatisfying(
                        BootException.class, e -> assertThat(e.code()).isEqualTo("kernel-missing"));
        refused(new byte[0], b -> {}).hasMessageContaining("neither a bzImage nor an ELF");
        refused(new byte[100_000], b -> {}).hasMessageContaining("neither");
        refused("#!/bin/sh\n".getBytes(StandardCharsets.US_ASCII), b -> {}).hasMessageContaining("neither");
    }

    @Test
    void everyCutOfABzImageIsRefused() {
        byte[] whole = Kernels.bzImage(0x1000);
        for (int length = 0; length < whole.length; length += 7) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> Kernels.read(cut)).isInstanceOf(BootException.class);
        }
        assertThat(Kernels.read(whole).maxCommandLine()).isEqualTo(2047);
        refused(Arrays.copyOf(whole, whole.length - 1), b -> {}).hasMessageContaining("cut short");
    }

    @Test
    void aSignatureBehindTheKernelIsNotLoaded() {
        byte[] signed = Arrays.copyOf(Kernels.bzImage(0x1000), Kernels.SETUP + 0x1000 + 999);
        var image = (BzImage) Kernels.read(signed);
        assertThat(image.header().payloadLength()).isEqualTo(0x1000);
    }

    @Test
    void everyFieldOfTheSetupHeaderIsChecked() {
        bzImage(b -> b.putShort(0x1FE, (short) 0)).hasMessageContaining("neither");
        bzImage(b -> b.putShort(0x206, (short) 0x20B)).hasMessageContaining("boot protocol 2.11");
        bzImage(b -> b.put(0x201, (byte) 0x10)).hasMessageContaining("header ends");
        bzImage(b -> b.put(0x201, (byte) 0xFF)).hasMessageContaining("header ends");
        bzImage(b -> b.putShort(0x236, (short) 2)).hasMessageContaining("no 64-bit entry");
        bzImage(b -> b.put(0x211, (byte) 0)).hasMessageContaining("zImage");
        bzImage(b -> b.put(0x1F1, (byte) 255)).hasMessageContaining("cut short");
        bzImage(b -> b.putInt(0x1F4, -1)).hasMessageContaining("cut short");
        bzImage(b -> b.putInt(0x1F4, 0)).hasMessageContaining("can't hold its entry");
        bzImage(b -> b.putInt(0x230, 0)).hasMessageContaining("kernel_alignment");
        bzImage(b -> b.putInt(0x230, 0x300000)).hasMessageContaining("kernel_alignment");
        bzImage(b -> b.putInt(0x230, 1 << 31)).hasMessageContaining("kernel_alignment");
        bzImage(b -> b.putLong(0x258, 0)).hasMessageContaining("pref_address");
        bzImage(b -> b.putLong(0x258, -1)).hasMessageContaining("pref_address");
        bzImage(b -> b.putLong(0x258, Long.MAX_VALUE)).hasMessageContaining("pref_address");
        bzImage(b -> b.putInt(0x260, 0)).hasMessageContaining("init_size");
        bzImage(b -> b.putInt(0x24C, -1)).hasMessageContaining("payload ends");
        bzImage(b -> b.putInt(0x248, -1)).hasMessageContaining("payload ends");
    }

    @Test
    void anInitSizeLargerThanMemoryIsNotPlaced() {
        byte[] file = Kernels.bzImage(0x1000);
        Kernels.fields(file).putInt(0x260, -1);
        var free = new FreeMemory(AddressSpacePlan.single(512 * MIB));
        assertThatThrownBy(() -> Kernels.read(file).place(free))
                .isInstanceOfSatisfying(
                        BootException.class, e -> assertThat(e.code()).isEqualTo("boot-memory"))
                .hasMessageContaining("4294967295");
    }

    @Test
    void everyFieldOfAnElfFileIsChecked() {
        elf(b -> b.put(4, (byte) 1)).hasMessageContaining("not for x86-64");
        elf(b -> b.put(5, (byte) 2)).hasMessageContaining("not for x86-64");
        elf(b -> b.putShort(18, (short) 183)).hasMessageContaining("not for x86-64");
        elf(b -> b.putShort(16, (short) 3)).hasMessageContaining("type 3");
        elf(b -> b.putShort(56, (short) 0)).hasMessageContaining("0 program headers");
        elf(b -> b.putShort(56, (short) -1)).hasMessageContaining("65535 program headers");
        elf(b -> b.putShort(54, (short) 32)).hasMessageContaining("of 32");
        elf(b -> b.putLong(32, -1)).hasMessageContaining("outside the file");
        elf(b -> b.putLong(32, Long.MAX_VALUE)).hasMessageContaining("outside the file");
        elf(b -> b.putLong(32, 0x4000 - 100)).hasMessageContaining("outside the file");
        elf(b -> b.putLong(24, 0x20_0000)).hasMessageContaining("in no segment");
        elf(b -> b.putLong(24, -1)).hasMessageContaining("in no segment");
        elf(b -> Kernels.segment(b, 1, 6, 0, 0, 0, 0)).hasMessageContaining("in no segment");
        elf(b -> {
                    Kernels.segment(b, 1, 6, 0, 0, 0, 0);
                    Kernels.segment(b, 2, 6, 0, 0, 0, 0);
                })
                .hasMessageContaining("nothing to load");
        elf(b -> Kernels.segment(b, 2, 1, 0x3000, 0x100_1000, 0x1000, 0x1000)).hasMessageContaining("overlap");
        elf(b -> Kernels.segment(b, 2, 1, 0x3001, 0x120_0000, 0x1000, 0x1000)).hasMessageContaining("cut short");
        elf(b -> Kernels.segment(b, 2, 1, Long.MAX_VALUE, 0x120_0000, 1, 1)).hasMessageContaining("cut short");
        elf(b -> Kernels.segment(b, 2, 1, -1, 0x120_0000, 1, 1)).hasMessageContaining("cut short");
        elf(b -> Kernels.segment(b, 2, 1, 0, 0x9000, 1, 1)).hasMessageContaining("not between 1 MiB");
        elf(b -> Kernels.segment(b, 2, 1, 0, 0x120_0000, 2, 1)).hasMessageContaining("not between");
        elf(b -> Kernels.segment(b, 2, 1, 0, 0x120_0000, -1, 1)).hasMessageContaining("not between");
        elf(b -> Kernels.segment(b, 2, 1, 0, 0x120_0000, 1, Long.MAX_VALUE)).hasMessageContaining("not between");
        elf(b -> Kernels.segment(b, 2, 1, 0, -4096, 1, 1)).hasMessageContaining("not between");
    }

    @Test
    void aVirtualEntryPointIsTranslated() {
        byte[] file = Kernels.elf();
        Kernels.fields(file).putLong(24, 0xFFFF_FFFF_8120_0010L);
        assertThat(Kernels.read(file)
                        .place(new FreeMemory(AddressSpacePlan.single(64 * MIB)))
                        .entryPoint())
                .isEqualTo(0x120_0010);
    }

    /** Any bytes at all end in a kernel that stays inside its memory, or in a BootException. */
    @Test
    void mutatedKernelsAreLoadedOrRefused() {
        var plan = AddressSpacePlan.single(32 * MIB);
        int loaded = 0;
        try (var test = new TestMemory(plan)) {
            for (int seed = 0; seed < 6_000; seed++) {
                var random = new Random(seed);
                byte[] file = random.nextBoolean() ? Kernels.bzImage(0x1000) : Kernels.elf();
                mutate(file, random);
                byte[] cut = random.nextInt(8) == 0 ? Arrays.copyOf(file, random.nextInt(file.length)) : file;
                loaded += KernelFuzz.tryLoad(cut, plan, test.memory) ? 1 : 0;
            }
        }
        assertThat(loaded).as("mutations that kept the kernel whole").isBetween(500, 5_500);
    }

    private static void mutate(byte[] file, Random random) {
        boolean elf = file[0] == 0x7F;
        int[] edges = {0, 1, 0x7F, 0x80, 0xFF};
        for (int i = random.nextInt(4); i >= 0; i--) {
            int at = elf ? random.nextInt(64 + 3 * 56) : 0x1F1 + random.nextInt(0x80);
            file[at] = (byte) (random.nextBoolean() ? random.nextInt(256) : edges[random.nextInt(edges.length)]);
        }
    }
}
