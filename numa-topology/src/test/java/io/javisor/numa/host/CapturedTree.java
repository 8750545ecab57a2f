package io.javisor.numa.host;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Unpacks a tree that {@code src/test/capture/capture.sh} captured from a QEMU machine. A line {@code == path} begins a file;
 * a path that ends in a slash is a directory.
 */
public final class CapturedTree {
    private CapturedTree() {}

    /** Reads the topology of a captured machine, unpacked below {@code dir}. */
    public static HostTopology read(String name, Path dir) {
        return HostTopology.read(unpack(name, dir.resolve(name)));
    }

    /** Writes the tree's files below {@code root}, which it returns. */
    public static Path unpack(String name, Path root) {
        try (InputStream in = CapturedTree.class.getResourceAsStream("/host-trees/" + name + ".tree")) {
            if (in == null) {
                throw new IllegalArgumentException("no captured tree " + name);
            }
            Path file = root;
            List<String> lines = new ArrayList<>();
            for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList()) {
                if (line.startsWith("== ")) {
                    write(file, root, lines);
                    lines = new ArrayList<>();
                    file = root.resolve(line.substring(3));
                    if (line.endsWith("/")) {
                        Files.createDirectories(file);
                        file = root;
                    }
                } else {
                    lines.add(line);
                }
            }
            return root;
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static void write(Path file, Path root, List<String> lines) throws IOException {
        if (!file.equals(root)) {
            Files.createDirectories(file.getParent());
            Files.writeString(file, String.join("\n", lines) + "\n");
        }
    }
}
