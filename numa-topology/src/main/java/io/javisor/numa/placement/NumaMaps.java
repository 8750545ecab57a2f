package io.javisor.numa.placement;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A process's mappings and the nodes that their pages lie on: {@code /proc/PID/numa_maps} (numa(7)). One line for each
 * mapping:
 *
 * <pre>
 *   7f5c00000000 bind:1 file=/memfd:node1\040(deleted) huge dirty=16 N1=16 kernelpagesize_kB=2048
 *   |            |      |                              |             |     |
 *   first        policy what is mapped                 flags, counts |     size of the pages counted
 *   address                                                          pages on node 1
 * </pre>
 *
 * @param mappings by ascending address
 */
public record NumaMaps(List<Mapping> mappings) {
    private static final Pattern LINE = Pattern.compile("([0-9a-f]{1,16}) (\\S+)(.*)");
    private static final Pattern NODE = Pattern.compile("N([0-9]{1,4})=([0-9]{1,18})");
    private static final Pattern PAGE_SIZE = Pattern.compile("kernelpagesize_kB=([0-9]{1,9})");

    /**
     * One mapping.
     *
     * @param address its first address, unsigned
     * @param policy the memory policy in the kernel's words ({@code default}, {@code bind:0-1}, {@code prefer:0}, …)
     * @param file what is mapped, as the kernel writes it; empty for anonymous memory
     * @param pageSize bytes of one of the pages counted
     * @param pages how many pages lie on which node
     */
    public record Mapping(long address, String policy, String file, long pageSize, Map<Integer, Long> pages) {
        /** Copies the map. */
        public Mapping {
            pages = Map.copyOf(pages);
        }
    }

    /** Copies the list. */
    public NumaMaps {
        mappings = List.copyOf(mappings);
    }

    /** Reads the file's text. Lines that are not of this format are left out. */
    public static NumaMaps parse(String text) {
        var mappings = new ArrayList<Mapping>();
        text.lines().forEach(line -> {
            Matcher m = LINE.matcher(line);
            if (m.matches()) {
                mappings.add(mapping(Long.parseUnsignedLong(m.group(1), 16), m.group(2), m.group(3)));
            }
        });
        mappings.sort((a, b) -> Long.compareUnsigned(a.address, b.address));
        return new NumaMaps(mappings);
    }

    private static Mapping mapping(long address, String policy, String rest) {
        String file = "";
        long pageSize = 4096;
        var pages = new TreeMap<Integer, Long>();
        for (String word : rest.strip().split(" ", -1)) {
            Matcher node = NODE.matcher(word);
            Matcher size = PAGE_SIZE.matcher(word);
            if (word.startsWith("file=")) {
                file = word.substring("file=".length());
            } else if (node.matches()) {
                pages.merge(Integer.valueOf(node.group(1)), Long.valueOf(node.group(2)), Long::sum);
            } else if (size.matches()) {
                pageSize = Long.parseLong(size.group(1)) << 10;
            }
        }
        return new Mapping(address, policy, file, pageSize, pages);
    }

    /**
     * Bytes on each node of the mappings that begin in a range of addresses. (A range whose parts have different policies is
     * several mappings, all of which begin in it; the kernel does not say where a mapping ends.)
     */
    public Map<Integer, Long> bytesIn(long address, long length) {
        var bytes = new TreeMap<Integer, Long>();
        for (Mapping m : mappings) {
            if (Long.compareUnsigned(m.address - address, length) < 0) {
                m.pages.forEach((node, pages) -> bytes.merge(node, pages * m.pageSize, Long::sum));
            }
        }
        return bytes;
    }
}
