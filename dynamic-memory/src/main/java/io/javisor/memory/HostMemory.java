package io.javisor.memory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The host's memory at one moment.
 *
 * @param total bytes that there are
 * @param available bytes that can be had without swapping (MemAvailable)
 * @param pressure percent of the last 10 s in which some task waited for memory (PSI); 0 where the kernel does not say
 * @param nodes the available bytes by NUMA node: those of node n at place n; one entry for a host of one node
 */
public record HostMemory(long total, long available, double pressure, List<Long> nodes) {
    private static final Pattern TOTAL = Pattern.compile("(?m)^MemTotal: +([0-9]{1,15}) kB$");
    private static final Pattern AVAILABLE = Pattern.compile("(?m)^MemAvailable: +([0-9]{1,15}) kB$");
    private static final Pattern PRESSURE = Pattern.compile("(?m)^some avg10=([0-9]{1,3}\\.[0-9]{1,4}) ");

    private static final Pattern NODE_FREE =
            Pattern.compile("(?m)^Node [0-9]+ (?:MemFree|Active\\(file\\)|Inactive\\(file\\)): +([0-9]{1,15}) kB$");
    private static final int MAX_NODES = 64;

    /** Copies the list. */
    public HostMemory {
        nodes = List.copyOf(nodes);
    }

    /** Reads {@code /proc/meminfo}, the nodes' in {@code /sys}, and {@code /proc/pressure/memory}. */
    public static HostMemory read() {
        return read(Path.of("/"));
    }

    static HostMemory read(Path root) {
        String memory = text(root.resolve("proc/meminfo"));
        String pressure = text(root.resolve("proc/pressure/memory"));
        Matcher some = PRESSURE.matcher(pressure);
        long available = kilobytes(AVAILABLE, memory);
        return new HostMemory(
                kilobytes(TOTAL, memory),
                available,
                some.find() ? Double.parseDouble(some.group(1)) : 0,
                nodes(root.resolve("sys/devices/system/node"), available));
    }

    /** What is available, divided as free memory and page cache are. */
    private static List<Long> nodes(Path folder, long available) {
        var parts = new ArrayList<Long>();
        for (int node = 0; node < MAX_NODES; node++) {
            long part = 0;
            Matcher m = NODE_FREE.matcher(text(folder.resolve("node" + node + "/meminfo")));
            while (m.find()) {
                part += Long.parseLong(m.group(1)) << 10;
            }
            parts.add(part);
        }
        while (parts.size() > 1 && parts.getLast() == 0) {
            parts.removeLast();
        }
        double sum = parts.stream().mapToLong(Long::longValue).sum();
        return parts.size() == 1 || sum == 0
                ? List.of(available)
                : parts.stream().map(p -> (long) (available * (p / sum))).toList();
    }

    private static long kilobytes(Pattern line, String text) {
        Matcher m = line.matcher(text);
        return m.find() ? Long.parseLong(m.group(1)) << 10 : 0;
    }

    /** Empty where the kernel has no such file: built without PSI, or it is off. */
    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return "";
        }
    }
}
