package io.javisor.lab.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.VirtualMachine;
import io.javisor.api.exec.ExecRequest;
import io.javisor.boot.debian.DebianPackages;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/** Programs of Debian packages with the libraries that they come with, to be put into guests that run. */
final class GuestPrograms {
    private static final String LIBRARIES = "lib/x86_64-linux-gnu";
    private static final String LOADER = "lib64/ld-linux-x86-64.so.2";

    private final byte[] archive;

    private GuestPrograms(byte[] archive) {
        this.archive = archive;
    }

    /** Packages that were unpacked before, and the programs in them that guests need. */
    static GuestPrograms of(Set<String> packages, Set<String> programs) throws IOException {
        Map<String, Path> files = new TreeMap<>();
        for (String name : packages) {
            add(DebianPackages.open().unpack(name), programs, files);
        }
        assertThat(files.keySet()).contains(LOADER);
        programs.forEach(p -> assertThat(files).containsKey("usr/bin/" + p));
        var bytes = new ByteArrayOutputStream();
        try (var tar = new TarArchiveOutputStream(new GZIPOutputStream(bytes))) {
            for (Map.Entry<String, Path> file : files.entrySet()) {
                var entry = new TarArchiveEntry(file.getKey());
                entry.setMode(0755);
                entry.setSize(Files.size(file.getValue()));
                tar.putArchiveEntry(entry);
                Files.copy(file.getValue(), tar);
                tar.closeArchiveEntry();
            }
        }
        return new GuestPrograms(bytes.toByteArray());
    }

    private static void add(Path tree, Set<String> programs, Map<String, Path> files) throws IOException {
        List<Path> found = new ArrayList<>();
        for (String folder : List.of("bin", "sbin", "usr/bin", "usr/sbin", LIBRARIES, "usr/" + LIBRARIES)) {
            if (Files.isDirectory(tree.resolve(folder))) {
                try (var all = Files.list(tree.resolve(folder))) {
                    all.filter(Files::isRegularFile).forEach(found::add);
                }
            }
        }
        Set<Path> behindLinks = new HashSet<>();
        for (Path file : found) {
            if (Files.isSymbolicLink(file)) {
                behindLinks.add(file.toRealPath());
            }
        }
        for (Path file : found) {
            String name = file.getFileName().toString();
            if (programs.contains(name)) {
                files.put("usr/bin/" + name, file.toRealPath());
            } else if (name.equals("ld-linux-x86-64.so.2")) {
                files.put(LOADER, file.toRealPath());
            } else if (name.matches(".+\\.so\\.[0-9.]+") && !behindLinks.contains(file)) {
                files.put(LIBRARIES + "/" + name, file.toRealPath());
            }
        }
    }

    /** Puts them into a guest with a shell; they are in {@code /usr/bin} afterwards. */
    void into(VirtualMachine vm) {
        vm.exec(ExecRequest.command("tar", "xz", "-C", "/")
                        .stdin(archive)
                        .timeout(Duration.ofMinutes(4))
                        .build())
                .orThrow();
    }
}
