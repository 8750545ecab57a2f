package io.javisor.boot.debian;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The lists by which {@code modprobe} finds modules ({@code modules.dep} and others); nothing in these packages needs them. */
final class ModuleIndex {
    private static final int SECONDS = 300;

    private ModuleIndex() {}

    /** Makes the lists of each kernel in a tree, if this system has kmod's depmod. */
    static void whereKmodIs(Path tree) throws IOException {
        List<String> depmod = kmod();
        Path modules = tree.resolve("lib/modules");
        if (depmod.isEmpty() || !Files.isDirectory(modules, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (var releases = Files.list(modules)) {
            for (Path release : releases.toList()) {
                run(depmod, tree, release.getFileName().toString());
            }
        }
    }

    /** Makes the lists of one kernel, by kmod's depmod or else busybox's. Only under the cache's lock. */
    static void of(Path folder, Path busybox) {
        Path tree = folder.resolve("../../..").normalize();
        List<String> own = kmod();
        Command.Result result = run(
                own.isEmpty() ? List.of(busybox.toString(), "depmod") : own,
                tree,
                folder.getFileName().toString());
        if (result.code() != 0) {
            throw new DebianException(
                    "debian-cache",
                    "depmod ended with " + result.code() + " for " + folder + ": " + result.complaint(),
                    "see whether the folder can be written, or install kmod",
                    null);
        }
    }

    /** By a list that both programs write after modules.dep: one that was killed at its work has not made it. */
    static boolean isThere(Path folder) {
        return Files.exists(folder.resolve("modules.symbols"));
    }

    private static List<String> kmod() {
        for (String depmod : List.of("/usr/sbin/depmod", "/sbin/depmod")) {
            if (Files.isExecutable(Path.of(depmod))) {
                return List.of(depmod);
            }
        }
        return List.of();
    }

    private static Command.Result run(List<String> depmod, Path tree, String release) {
        List<String> words = new ArrayList<>(depmod);
        words.addAll(List.of("-b", tree.toString(), release));
        return Command.run(null, SECONDS, words);
    }
}
