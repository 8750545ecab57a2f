package io.javisor.api;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** What this process holds of a file that it maps, from /proc/self/smaps. */
final class MemoryUse {
    private MemoryUse() {}

    /** Sums over all mappings of the file, in bytes, by the names of smaps; and {@code mappings}, how many there are. */
    static Map<String, Long> of(Path file) throws IOException {
        Map<String, Long> sums = new HashMap<>();
        boolean counts = false;
        for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
            String[] words = line.trim().split("\\s+", -1);
            if (!words[0].endsWith(":")) {
                counts = line.endsWith(file.toString());
                sums.merge("mappings", counts ? 1L : 0L, Long::sum);
            } else if (counts && words.length == 3 && words[2].equals("kB")) {
                sums.merge(words[0].replace(":", ""), Long.parseLong(words[1]) * 1024, Long::sum);
            }
        }
        return sums;
    }
}
