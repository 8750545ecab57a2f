package io.javisor.boot.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/** Names, order and refusals of module trees. */
class KernelModulesTest {
    @TempDir
    Path folder;

    private Path tree;

    @BeforeEach
    void tree() throws Exception {
        tree = Files.createDirectories(folder.resolve("6.1.0-test")).toAbsolutePath();
        Files.createDirectories(tree.resolve("kernel"));
        Files.writeString(tree.resolve("modules.builtin"), "kernel/fs/ext4/ext4.ko\nkernel/lib/crc-core.ko\n");
        Files.write(
                tree.resolve("modules.builtin.modinfo"),
                "crc_core.alias=crc32x\0crc_core.license=GPL\0".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    private static List<String> names(List<KernelModule> modules) {
        return modules.stream().map(KernelModule::name).toList();
    }

    @Test
    void loadsWhatIsNeededFirstAndEachOnce() {
        ModuleBytes.put(tree, "a/top-one.ko", "name=top_one", "depends=mid,base");
        ModuleBytes.put(tree, "mid.ko", "name=mid", "depends=base");
        ModuleBytes.put(tree, "base.ko", "depends=", "license=GPL");
        List<KernelModule> order = KernelModules.open(tree).resolve(List.of("top-one", "base"));
        assertThat(names(order)).containsExactly("base", "mid", "top_one");
        assertThat(order.get(2).needs()).containsExactly("mid", "base");
        assertThat(order.get(2).guestPath()).isEqualTo("lib/modules/6.1.0-test/kernel/a/top-one.ko");
        assertThat(names(KernelModules.open(tree).resolve(List.of("top_one")))).hasSize(3);
    }

    @Test
    void leavesOutWhatIsBuiltIn() {
        ModuleBytes.put(tree, "x.ko", "depends=crc_core", "softdep=pre: crc32x");
        KernelModules modules = KernelModules.open(tree);
        assertThat(names(modules.resolve(List.of("ext4", "x", "crc32x")))).containsExactly("x");
        assertThat(modules.isBuiltIn("crc-core")).isTrue();
        assertThat(modules.isModule("ext4")).isFalse();
    }

    @Test
    void followsAliasesAndSoftDependencies() throws Exception {
        ModuleBytes.put(tree, "fs.ko", "softdep=pre: hash-fast nosuch post: later");
        ModuleBytes.put(tree, "hash.ko", "alias=hash-fast", "alias=pci:v*");
        ModuleBytes.put(tree, "later.ko", "depends=");
        assertThat(names(KernelModules.open(tree).resolve(List.of("fs")))).containsExactly("hash", "fs");
        ModuleBytes.put(tree, "hash.ko", "license=GPL"); // now only depmod's list knows
        assertThat(names(KernelModules.open(tree).resolve(List.of("fs")))).containsExactly("fs");
        Files.writeString(tree.resolve("modules.alias"), "# made by depmod\nalias hash-fast hash\n");
        assertThat(names(KernelModules.open(tree).resolve(List.of("fs")))).containsExactly("hash", "fs");
    }

    @Test
    void namesAllThatIsMissing() {
        ModuleBytes.put(tree, "a.ko", "depends=gone");
        assertThatThrownBy(() -> KernelModules.open(tree).resolve(List.of("a", "nosuch")))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.code()).isEqualTo("image-missing"))
                .hasMessageContaining("6.1.0-test")
                .hasMessageContaining("gone (needed by a), nosuch");
        assertThatThrownBy(() -> KernelModules.open(folder)).hasMessageContaining("no kernel modules");
    }

    @Test
    void refusesCirclesButNotSoftOnes() {
        ModuleBytes.put(tree, "a.ko", "depends=b");
        ModuleBytes.put(tree, "b.ko", "depends=a");
        assertThatThrownBy(() -> KernelModules.open(tree).resolve(List.of("a"))).hasMessageContaining("circle");
        ModuleBytes.put(tree, "c.ko", "softdep=pre: d");
        ModuleBytes.put(tree, "d.ko", "softdep=pre: c");
        assertThat(names(KernelModules.open(tree).resolve(List.of("c")))).containsExactly("d", "c");
    }

    @Test
    void decompressesModulesIntoTheImage() throws Exception {
        byte[] module = ModuleBytes.of("name=x", "depends=");
        ByteArrayOutputStream xz = new ByteArrayOutputStream();
        try (XZOutputStream out = new XZOutputStream(xz, new LZMA2Options(0))) {
            out.write(module);
        }
        ModuleBytes.put(tree, "x.ko.xz", xz.toByteArray());
        List<KernelModule> order = KernelModules.open(tree).resolve(List.of("x"));
        assertThat(order.getFirst().size()).isEqualTo(module.length);
        Initramfs.of(i -> i.modules(order)).unpackTo(folder.resolve("out"));
        assertThat(folder.resolve("out/lib/modules/6.1.0-test/kernel/x.ko")).hasBinaryContent(module);
    }

    @Test
    void takesOnlyWhatTheKernelHasForGuests() {
        ModuleBytes.put(tree, "hv/hv_vmbus.ko", "depends=");
        ModuleBytes.put(tree, "hv/hv_utils.ko", "depends=hv_vmbus");
        assertThat(names(KernelModules.open(tree).forGuest())).containsExactly("hv_vmbus", "hv_utils");
    }

    @Test
    void refusesObjectsThatAreNoModules() {
        for (byte[] bytes : List.of(
                new byte[0],
                new byte[64],
                "#!/bin/sh\n".repeat(20).getBytes(java.nio.charset.StandardCharsets.UTF_8))) {
            ModuleBytes.put(tree, "bad.ko", bytes);
            assertThatThrownBy(() -> KernelModules.open(tree).resolve(List.of("bad")))
                    .isInstanceOfSatisfying(
                            ImageException.class, e -> assertThat(e.code()).isEqualTo("image-module"))
                    .hasMessageContaining("bad.ko");
        }
    }

    @Test
    void refusesTablesAndSectionsOutsideTheFile() {
        byte[] good = ModuleBytes.of("name=x");
        assertThat(ModuleInfo.parse("x.ko", good).name()).isEqualTo("x");
        for (long value : new long[] {
            -1, Long.MIN_VALUE, Long.MAX_VALUE, good.length, good.length + 1L, Integer.MAX_VALUE, 1L << 32
        }) {
            for (int at : new int[] {40, 64 + 64 + 24, 64 + 64 + 32, 64 + 128 + 24, 64 + 128 + 32}) {
                byte[] bad = good.clone();
                ByteBuffer.wrap(bad).order(ByteOrder.LITTLE_ENDIAN).putLong(at, value);
                assertThatThrownBy(() -> ModuleInfo.parse("x.ko", bad))
                        .as("value %x at %d", value, at)
                        .isInstanceOf(ImageException.class);
            }
        }
    }

    @Test
    void survivesMutations() {
        byte[] good = ModuleBytes.of("name=x", "depends=a,b", "alias=c", "softdep=pre: d post: e");
        Random random = new Random(7);
        int parsed = 0;
        for (int i = 0; i < 100_000; i++) {
            byte[] mutant = good.clone();
            for (int c = 1 + random.nextInt(3); c > 0; c--) {
                mutant[random.nextInt(mutant.length)] = (byte) random.nextInt(256);
            }
            byte[] input = random.nextInt(6) == 0 ? Arrays.copyOf(mutant, random.nextInt(mutant.length)) : mutant;
            try {
                ModuleInfo.parse("mutant", input);
                parsed++;
            } catch (ImageException e) {
                assertThat(e.code()).isEqualTo("image-module");
            }
        }
        assertThat(parsed).isBetween(10_000, 90_000);
    }
}
