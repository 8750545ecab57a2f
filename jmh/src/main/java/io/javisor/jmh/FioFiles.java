package io.javisor.jmh;

import io.javisor.boot.image.Initramfs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * fio and the libraries that it needs, out of a folder with its package and all that it depends on, which is a hundred times as large:
 * a guest has it in memory.
 *
 * @param files by their names in the guest
 */
record FioFiles(Map<String, Path> files) {
    private static final String LIBRARIES = "/lib/x86_64-linux-gnu/";
    private static final String LOADER = "ld-linux-x86-64.so.2";
    private static final Pattern NEEDED = Pattern.compile("NEEDED +(\\S+)");

    static FioFiles of(Path root) {
        Map<String, Path> found = new LinkedHashMap<>();
        found.put("/usr/bin/fio", root.resolve("usr/bin/fio"));
        var look = new ArrayDeque<Path>(found.values());
        for (Path file = look.poll(); file != null; file = look.poll()) {
            for (String name : needed(file)) {
                String place = name.equals(LOADER) ? "/lib64/" + name : LIBRARIES + name;
                if (!found.containsKey(place)) {
                    Path library = find(root, name);
                    found.put(place, library);
                    look.add(library);
                }
            }
        }
        found.put("/lib64/" + LOADER, find(root, LOADER));
        return new FioFiles(found);
    }

    private static Stream<String> lines(Path file) {
        return ToolPeer.run(List.of("objdump", "-p", file.toString())).lines();
    }

    private static List<String> needed(Path file) {
        return lines(file)
                .map(NEEDED::matcher)
                .filter(Matcher::find)
                .map(m -> m.group(1))
                .toList();
    }

    private static Path find(Path root, String name) {
        try (Stream<Path> all =
                Files.find(root, 5, (p, a) -> p.getFileName().toString().equals(name))) {
            Path found = all.findFirst().orElseThrow(() -> new IllegalStateException("no " + name + " in " + root));
            return found.toRealPath();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void addTo(Initramfs.Builder image) {
        files.forEach(image::executable);
    }
}
