package io.javisor.boot.debian;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.apache.commons.compress.archivers.ar.ArArchiveEntry;
import org.apache.commons.compress.archivers.ar.ArArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/** The cache over a pretended apt, whose every call is counted. */
class DebianPackagesTest {
    private static final String RELEASE = "6.1.0-9-cloud-amd64";

    @TempDir
    Path folder;

    private Path tools;
    private final List<String> told = Collections.synchronizedList(new ArrayList<>());

    @BeforeEach
    void pretendApt() throws Exception {
        tools = Files.createDirectories(folder.resolve("tools"));
        Path pool = Files.createDirectories(folder.resolve("pool"));
        deb(
                pool.resolve("linux-image-" + RELEASE + ".deb"),
                Map.of("./boot/vmlinuz-" + RELEASE, "kernel", "./lib/modules/" + RELEASE + "/kernel/a.ko", "module"));
        deb(pool.resolve("linux-image-empty-amd64.deb"), Map.of("./usr/share/doc/x", ""));
        deb(pool.resolve("tool.deb"), Map.of("./usr/bin/tool", "tool"));
        deb(pool.resolve("libtool1.deb"), Map.of("./usr/lib/libtool.so.1", "lib"));
        Files.write(pool.resolve("damaged.deb"), new byte[100]);
        script("apt-cache", """
                echo "$@" >> LOG
                case " $* " in
                *" show "*) cat <<'S'
                Package: linux-image-cloud-amd64
                Version: 6.1.200-1
                Depends: linux-image-6.1.0-9-cloud-amd64 (= 6.1.200-1)

                Package: linux-image-6.1.0-9-cloud-amd64
                Version: 6.1.200-1
                Depends: kmod, linux-base (>= 4.3~)

                Package: linux-image-empty-amd64
                Version: 1
                Depends: linux-base

                Package: tool
                Version: 1:2-3

                Package: damaged
                Version: 1

                Package: gone
                Version: 1
                S
                [ ! -e UPDATED ] || printf '\\nPackage: linux-image-6.12-cloud-amd64\\nVersion: 6.12.9-1\\nDepends: linux-image-6.1.0-9-cloud-amd64\\n'
                ;;
                *" pkgnames "*) printf 'linux-image-cloud-amd64\\nlinux-image-cloud-amd64-dbg\\n' ;;
                esac
                """);
        script("apt-get", """
                echo "$@" >> LOG
                case " $* " in
                *" update "*) : > UPDATED ;;
                *" indextargets "*)
                    echo 'deb http://mirror.example/security bookworm-security Debian-Security/main'
                    echo 'deb http://mirror.example/debian/ bookworm-updates Debian/main'
                    echo 'deb http://mirror.example/debian/ bookworm Debian/main' ;;
                *--simulate*) echo 'Inst libtool1 (1 Debian:12 [amd64])'; echo 'Inst tool [1] (1:2-3 Debian:12 [amd64])' ;;
                *" download "*)
                    for p; do case "$p" in *=*)
                        case "$p" in APT::*|Dir::*) continue;; esac
                        cp "POOL/${p%%=*}.deb" "${p%%=*}_1_amd64.deb" || { echo "E: 404 Not Found" >&2; exit 100; }
                    esac; done ;;
                esac
                """);
    }

    private DebianPackages packages() {
        return new DebianPackages(folder.resolve("cache"), told::add, tools + "/");
    }

    private List<String> calls() throws IOException {
        Path log = folder.resolve("log");
        return Files.exists(log) ? Files.readAllLines(log) : List.of();
    }

    @Test
    void findsAKernelThroughItsMetaPackage() {
        DebianKernel kernel = packages().kernel("6.1-cloud");
        assertThat(kernel.packageName()).isEqualTo("linux-image-" + RELEASE);
        assertThat(kernel.packageVersion()).isEqualTo("6.1.200-1");
        assertThat(kernel.release()).isEqualTo(RELEASE);
        assertThat(kernel.image()).hasContent("kernel");
        assertThat(kernel.modules().isModule("a")).isTrue();
        assertThat(told).anyMatch(l -> l.startsWith("fetching")).anyMatch(l -> l.startsWith("unpacking"));
    }

    @Test
    void answersFromAWarmCacheWithoutRunningAnything() throws Exception {
        DebianKernel cold = packages().kernel("6.1-cloud");
        Files.delete(folder.resolve("log"));
        told.clear();
        Files.delete(folder.resolve("cache/debian/lock"));
        DebianKernel warm =
                new DebianPackages(folder.resolve("cache"), told::add, "/no/such/tools/").kernel("6.1-cloud");
        assertThat(warm).isEqualTo(cold);
        assertThat(calls()).isEmpty();
        assertThat(told).isEmpty();
        assertThat(folder.resolve("cache/debian/lock")).doesNotExist(); // so a read-only cache serves too
    }

    @Test
    void asksAgainAfterRefresh() throws Exception {
        packages().kernel("cloud");
        Files.delete(folder.resolve("log"));
        packages().refresh();
        packages().kernel("cloud");
        assertThat(calls())
                .anyMatch(c -> c.startsWith("show"))
                .noneMatch(c -> c.contains("download")); // the tree is there
    }

    @Test
    void bringsListsUpToDateThatLackASeries() throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "only root may run apt-get update");
        assertThat(packages().kernel("6.12-cloud").packageName()).isEqualTo("linux-image-" + RELEASE);
        assertThat(calls().stream().filter(c -> c.contains("update"))).hasSize(1);
    }

    @Test
    void unpacksWithAllThatIsNeeded() {
        Path root = packages().unpack("tool");
        assertThat(root.resolve("usr/bin/tool")).hasContent("tool");
        assertThat(root.resolve("usr/lib/libtool.so.1")).hasContent("lib");
        Path alone = packages().unpackAlone("tool");
        assertThat(alone.resolve("usr/lib")).doesNotExist();
    }

    @Test
    void unpacksBackportsFromListsOfTheirOwn() throws Exception {
        Path root = packages().unpackBackports("tool");
        assertThat(root.resolve("usr/bin/tool")).hasContent("tool");
        assertThat(folder.resolve("cache/debian/backports/sources.list"))
                .hasContent("deb http://mirror.example/debian/ bookworm-backports main\n");
        assertThat(calls())
                .filteredOn(c -> c.contains("update") || c.contains("show") || c.contains("download"))
                .hasSize(3)
                .allMatch(c -> c.contains("Dir::State::Lists=" + folder.resolve("cache/debian/backports/lists")));
        Files.delete(folder.resolve("log"));
        assertThat(packages().unpackBackports("tool")).isEqualTo(root);
        assertThat(calls()).isEmpty();
    }

    @Test
    void manyAtOnceFetchOnce() throws Exception {
        try (var threads = Executors.newFixedThreadPool(6)) {
            List<Callable<DebianKernel>> all =
                    Collections.nCopies(6, () -> packages().kernel("6.1-cloud"));
            for (var each : threads.invokeAll(all)) {
                assertThat(each.get().image()).hasContent("kernel");
            }
        }
        assertThat(calls().stream().filter(c -> c.contains("download"))).hasSize(1);
    }

    @Test
    void leavesNothingHalfDone() throws Exception {
        Files.createDirectories(folder.resolve("cache/debian/work/tree")); // of a process that died
        assertThatThrownBy(() -> packages().unpackAlone("gone"))
                .isInstanceOfSatisfying(
                        DebianException.class, e -> assertThat(e.code()).isEqualTo("debian-fetch"))
                .hasMessageContaining("download gone=1")
                .hasMessageContaining("404")
                .hasMessageContaining("apt-get update");
        assertThatThrownBy(() -> packages().unpackAlone("damaged"))
                .isInstanceOfSatisfying(
                        DebianException.class, e -> assertThat(e.code()).isEqualTo("debian-package"))
                .hasMessageContaining("damaged_1_amd64.deb");
        assertThat(folder.resolve("cache/debian/trees")).doesNotExist();
        assertThat(packages().unpackAlone("tool").resolve("usr/bin/tool")).hasContent("tool");
        assertThat(folder.resolve("cache/debian/work")).doesNotExist();
    }

    @Test
    void saysWhatIsNotThere() {
        assertThatThrownBy(() -> packages().kernel("9.9-cloud"))
                .isInstanceOfSatisfying(
                        DebianException.class, e -> assertThat(e.code()).isEqualTo("debian-unknown"))
                .hasMessageContaining("linux-image-9.9-cloud-amd64")
                .hasMessageContaining("it knows linux-image-cloud-amd64");
        assertThatThrownBy(() -> packages().kernel("windows")).hasMessageContaining("names no kernel");
        assertThatThrownBy(() -> packages().kernel("linux-image-empty-amd64"))
                .hasMessageContaining("holds no boot/vmlinuz");
        assertThatThrownBy(() -> packages().unpack("--evil")).hasMessageContaining("cannot be a package's name");
    }

    @Test
    void saysWhatToDoWithoutApt() {
        assertThatThrownBy(
                        () -> new DebianPackages(folder.resolve("other"), told::add, "/no/such/tools/").kernel("6.1"))
                .isInstanceOfSatisfying(
                        DebianException.class, e -> assertThat(e.code()).isEqualTo("debian-no-apt"))
                .hasMessageContaining("kernel (bzImage or vmlinux")
                .hasMessageContaining("JAVISOR_CACHE");
    }

    @Test
    void choosesTheCacheFolder() {
        assertThat(DebianPackages.defaultFolder(Map.of("JAVISOR_CACHE", "/c", "XDG_CACHE_HOME", "/x"), "/h"))
                .isEqualTo(Path.of("/c"));
        assertThat(DebianPackages.defaultFolder(Map.of("XDG_CACHE_HOME", "/x"), "/h"))
                .isEqualTo(Path.of("/x/javisor"));
        assertThat(DebianPackages.defaultFolder(Map.of("XDG_CACHE_HOME", "relative"), "/h"))
                .isEqualTo(Path.of("/h/.cache/javisor"));
        assertThat(DebianPackages.defaultFolder(Map.of(), "/h")).isEqualTo(Path.of("/h/.cache/javisor"));
    }

    @Test
    void tellsStaticPrograms() throws Exception {
        Path java = Path.of(System.getProperty("java.home"), "bin/java");
        assertThat(StaticElf.isStatic(java)).isFalse(); // it has an interpreter
        assertThat(StaticElf.isStatic(Path.of("/etc/passwd"))).isFalse();
        assertThat(StaticElf.isStatic(Path.of("/no/such"))).isFalse();
        byte[] elf = Files.readAllBytes(java);
        int table = elf[32];
        for (int i = 0; i < elf[56]; i++) {
            if (elf[table + i * 56] == 3) {
                elf[table + i * 56] = 4; // a note instead of the interpreter
            }
        }
        assertThat(StaticElf.isStatic(Files.write(folder.resolve("static"), elf)))
                .isTrue();
    }

    private void script(String name, String body) throws IOException {
        String text = "#!/bin/sh\n"
                + body.replace("UPDATED", folder.resolve("updated").toString())
                        .replace("LOG", folder.resolve("log").toString())
                        .replace("POOL", folder.resolve("pool").toString());
        Path file = Files.writeString(tools.resolve(name), text);
        assertThat(file.toFile().setExecutable(true)).isTrue();
    }

    private static void deb(Path file, Map<String, String> contents) throws IOException {
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(new XZOutputStream(data, new LZMA2Options(0)))) {
            for (Map.Entry<String, String> each : contents.entrySet()) {
                byte[] bytes = each.getValue().getBytes(StandardCharsets.UTF_8);
                TarArchiveEntry entry = new TarArchiveEntry(each.getKey());
                entry.setSize(bytes.length);
                tar.putArchiveEntry(entry);
                tar.write(bytes);
                tar.closeArchiveEntry();
            }
        }
        try (OutputStream out = Files.newOutputStream(file);
                ArArchiveOutputStream ar = new ArArchiveOutputStream(out)) {
            for (Map.Entry<String, byte[]> each : List.of(
                    Map.entry("debian-binary", "2.0\n".getBytes(StandardCharsets.UTF_8)),
                    Map.entry("data.tar.xz", data.toByteArray()))) {
                ar.putArchiveEntry(new ArArchiveEntry(each.getKey(), each.getValue().length));
                ar.write(each.getValue());
                ar.closeArchiveEntry();
            }
        }
    }
}
