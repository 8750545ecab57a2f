package io.javisor.boot.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an image holds, read back from its cpio bytes. */
class InitramfsTest {
    @TempDir
    Path folder;

    @Test
    void makesParentsBeforeChildrenAndSortsNames() {
        assertThat(CpioListing.of(Initramfs.of(
                        i -> i.text("/usr/lib/b", "B").text("usr/lib/a", "A").symlink("/lib", "usr/lib"))))
                .containsExactly(
                        "usr 40755", "usr/lib 40755", "lib 120777 usr/lib", "usr/lib/a 100644 A", "usr/lib/b 100644 B");
    }

    @Test
    void givesTheSameBytesForTheSameDescription() throws Exception {
        Path file = Files.writeString(folder.resolve("f"), "content");
        Initramfs image = Initramfs.of(i -> i.console()
                .executable("/bin/f", file)
                .archive("opt", "tar", new TarBytes().file("x", "y").source()));
        byte[] once = image.toBytes();
        Files.setLastModifiedTime(file, java.nio.file.attribute.FileTime.fromMillis(1));
        assertThat(image.toBytes()).isEqualTo(once);
        assertThat(CpioListing.of(once)).contains("dev/console 20600 5:1", "bin/f 100755 content", "opt/x 100644 y");
    }

    @Test
    void laterPartsReplaceEarlierOnes() {
        assertThat(CpioListing.of(Initramfs.of(
                        i -> i.text("a", "1").text("a", "2").folder("b").symlink("b", "a"))))
                .containsExactly("a 100644 2", "b 120777 a");
    }

    @Test
    void takesHostFoldersWithLinksAndPermissions() throws Exception {
        Files.createDirectories(folder.resolve("t/sub"));
        Path script = Files.writeString(folder.resolve("t/sub/s"), "#!");
        assertThat(script.toFile().setExecutable(true, false)).isTrue();
        Files.createSymbolicLink(folder.resolve("t/l"), Path.of("/nowhere"));
        List<String> lines = CpioListing.of(Initramfs.of(i -> i.folder("/in", folder.resolve("t"))));
        assertThat(lines).contains("in/sub 40755", "in/l 120777 /nowhere", "in/sub/s 100755 #!");
    }

    @Test
    void compresses() throws Exception {
        Initramfs plain = Initramfs.of(i -> i.text("a", "1"));
        Path file = Initramfs.of(i -> i.text("a", "1").gzip()).writeTo(folder.resolve("i.gz"));
        try (GZIPInputStream in = new GZIPInputStream(Files.newInputStream(file))) {
            assertThat(in.readAllBytes()).isEqualTo(plain.toBytes());
        }
        try (var list = Files.list(folder)) {
            assertThat(list).hasSize(1);
        }
    }

    @Test
    void keepsHardLinksAsOneFile() {
        Initramfs image = Initramfs.of(i -> i.archive(
                "", "t", new TarBytes().file("b", "data").hardLink("a", "b").source()));
        assertThat(CpioListing.of(image)).containsExactly("a 100644 data", "b 100644");
        image.unpackTo(folder.resolve("out"));
        assertThat(folder.resolve("out/b")).hasContent("data");
    }

    @Test
    void appliesWhiteoutsOfLayersInOrder() throws Exception {
        Path first = layer(
                "1",
                new TarBytes()
                        .folder("etc")
                        .file("etc/keep", "1")
                        .file("etc/gone", "1")
                        .file("opt/a", "1")
                        .file("opt/d/b", "1")
                        .file("f", "1"));
        Path second = layer(
                "2",
                new TarBytes()
                        .file("etc/.wh.gone", "")
                        .file("opt/c", "2")
                        .file("opt/.wh..wh..opq", "")
                        .folder("f")
                        .file("f/g", "2"));
        Path third = layer("3", new TarBytes().file(".wh.f", "").file("etc/keep", "3"));
        assertThat(CpioListing.of(Initramfs.of(i -> i.ociLayers(List.of(first, second)))))
                .containsExactly(
                        "etc 40755", "f 40755", "opt 40755", "etc/keep 100644 1", "opt/c 100644 2", "f/g 100644 2");
        assertThat(CpioListing.of(Initramfs.of(i -> i.ociLayers(List.of(first, second, third)))))
                .containsExactly("etc 40755", "opt 40755", "opt/c 100644 2", "etc/keep 100644 3");
    }

    @Test
    void whiteoutNamesAreFilesInPlainArchives() {
        assertThat(CpioListing.of(Initramfs.of(i ->
                        i.archive("", "t", new TarBytes().file(".wh.a", "x").source()))))
                .containsExactly(".wh.a 100644 x");
    }

    @Test
    void followsLinksInsideTheImageOnly() {
        Initramfs image = Initramfs.of(i -> i.archive(
                "",
                "t",
                new TarBytes()
                        .symlink("lib", "../../usr/lib")
                        .file("lib/a", "A")
                        .symlink("abs", "/etc")
                        .file("abs/passwd", "P")
                        .source()));
        assertThat(CpioListing.of(image)).contains("usr/lib/a 100644 A", "etc/passwd 100644 P");
        image.unpackTo(folder.resolve("root/of/image"));
        assertThat(folder.resolve("root/of/image/usr/lib/a")).hasContent("A");
        assertThat(folder.resolve("root/of/image/etc/passwd")).hasContent("P");
    }

    @Test
    void archivesForMergedTreesKeepLinkedFoldersAndLayersReplaceThem() throws Exception {
        TarBytes merged = new TarBytes().folder("usr").folder("usr/bin").symlink("bin", "usr/bin");
        TarBytes more = new TarBytes().folder("bin").file("bin/x", "x");
        Path one = layer("one", merged);
        Path two = layer("two", more);
        assertThat(CpioListing.of(Initramfs.of(i -> i.archive("", one).archive("", two))))
                .contains("bin 120644 usr/bin", "usr/bin/x 100644 x");
        assertThat(CpioListing.of(Initramfs.of(i -> i.ociLayers(List.of(one, two)))))
                .contains("bin 40755", "bin/x 100644 x");
    }

    @Test
    void readsGzipXzAndZstd() throws Exception {
        byte[] plain = new TarBytes().file("a", "1").bytes();
        assertThat(CpioListing.of(
                        Initramfs.of(i -> i.archive("", "t.gz", () -> new ByteArrayInputStream(TarBytes.gzip(plain))))))
                .containsExactly("a 100644 1");
        Path xz = folder.resolve("t.xz");
        try (OutputStream out =
                new org.tukaani.xz.XZOutputStream(Files.newOutputStream(xz), new org.tukaani.xz.LZMA2Options())) {
            out.write(plain);
        }
        assertThat(CpioListing.of(Initramfs.of(i -> i.archive("", xz)))).containsExactly("a 100644 1");
        Path tar = Files.write(folder.resolve("t.tar"), plain);
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/zstd")), "no zstd program here");
        assertThat(new ProcessBuilder("zstd", "-q", tar.toString()).start().waitFor())
                .isZero();
        assertThat(CpioListing.of(Initramfs.of(i -> i.archive("", folder.resolve("t.tar.zst")))))
                .containsExactly("a 100644 1");
    }

    @Test
    void busyboxUnpacksTheSame() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/bin/busybox")), "no busybox here");
        Path cpio = Initramfs.of(
                        i -> i.text("a/b", "content").symlink("l", "a/b").script("init", "#!/bin/sh\n"))
                .writeTo(folder.resolve("i.cpio"));
        Path out = Files.createDirectory(folder.resolve("out"));
        assertThat(new ProcessBuilder("/bin/busybox", "cpio", "-i", "-d")
                        .directory(out.toFile())
                        .redirectInput(cpio.toFile())
                        .redirectErrorStream(true)
                        .start()
                        .waitFor())
                .isZero();
        assertThat(out.resolve("l")).hasContent("content");
        assertThat(Files.isExecutable(out.resolve("init"))).isTrue();
    }

    @Test
    void namesTheHostFileThatIsMissing() {
        assertThatThrownBy(() ->
                        Initramfs.of(i -> i.file("/x", Path.of("/no/such"))).toBytes())
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.code()).isEqualTo("image-missing"))
                .hasMessageContaining("/no/such");
    }

    @Test
    void refusesToUnpackOverFiles() throws Exception {
        Files.writeString(folder.resolve("there"), "");
        assertThatThrownBy(() -> Initramfs.of(i -> i.text("a", "")).unpackTo(folder))
                .hasMessageContaining("not empty");
    }

    private Path layer(String name, TarBytes tar) throws Exception {
        return Files.write(folder.resolve(name + ".tar.gz"), TarBytes.gzip(tar.bytes()));
    }
}
