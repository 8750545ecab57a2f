package io.javisor.numa.host;

import io.javisor.numa.CpuSet;
import io.javisor.numa.MemoryPerformance;
import io.javisor.numa.NumaTopology;
import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * Reads one host's files, which Documentation/ABI/stable/sysfs-devices-node, sysfs-devices-system-cpu and
 * Documentation/admin-guide/mm/hugetlbpage.rst of the kernel describe. What an older or smaller kernel lacks gets a default;
 * only a host without CPUs in sysfs is refused.
 */
final class SysfsReader {
    private static final Pattern NUMBERED = Pattern.compile("[a-z-]+?([0-9]{1,9})(?:kB)?");
    private static final Pattern MEMINFO =
            Pattern.compile("(?m)^(?:Node \\d+ )?(\\w[\\w()]*):\\s+(\\d{1,15})(?: kB)?\\s*$");
    private static final Pattern CHOSEN = Pattern.compile("\\[(\\w+)]");

    private final Path root;
    private final Path cpuRoot;
    private final Path nodeRoot;

    SysfsReader(Path root) {
        this.root = root;
        this.cpuRoot = root.resolve("sys/devices/system/cpu");
        this.nodeRoot = root.resolve("sys/devices/system/node");
    }

    HostTopology read() {
        CpuSet online = set(cpuRoot.resolve("online"), CpuSet.EMPTY);
        if (online.isEmpty()) {
            throw new HypervisorException(
                    "host-topology",
                    cpuRoot.resolve("online") + " is missing or empty",
                    "mount sysfs: mount -t sysfs sysfs /sys");
        }
        CpuSet nodeIds = set(nodeRoot.resolve("online"), CpuSet.EMPTY);
        List<HostNode> nodes = nodeIds.isEmpty()
                ? List.of(wholeHost(online))
                : nodeIds.stream().mapToObj(id -> node(id, online)).toList();
        CpuSet allNodes = CpuSet.of(nodes.stream().mapToInt(HostNode::id).toArray());
        Path status = root.resolve("proc/self/status");
        return new HostTopology(
                nodes,
                cpus(online, nodes),
                set(cpuRoot.resolve("possible"), online),
                set(cpuRoot.resolve("present"), online),
                set(cpuRoot.resolve("isolated"), CpuSet.EMPTY),
                statusSet(status, "Cpus_allowed_list", online).and(online),
                statusSet(status, "Mems_allowed_list", allNodes).and(allNodes),
                distances(nodes),
                hugePages(root.resolve("sys/kernel/mm/hugepages")),
                chosen(root.resolve("sys/kernel/mm/transparent_hugepage/shmem_enabled")));
    }

    private HostNode node(int id, CpuSet online) {
        Path dir = nodeRoot.resolve("node" + id);
        Map<String, Long> meminfo = meminfo(dir.resolve("meminfo"));
        Path initiators = dir.resolve("access0/initiators");
        return new HostNode(
                id,
                set(dir.resolve("cpulist"), CpuSet.EMPTY).and(online),
                kib(meminfo, "MemTotal"),
                kib(meminfo, "MemFree"),
                reclaimable(meminfo, "FilePages"),
                hugePages(dir.resolve("hugepages")),
                new MemoryPerformance(
                        (int) number(initiators.resolve("read_latency"), MemoryPerformance.MAX_LATENCY),
                        (int) number(initiators.resolve("write_latency"), MemoryPerformance.MAX_LATENCY),
                        number(initiators.resolve("read_bandwidth"), MemoryPerformance.MAX_BANDWIDTH),
                        number(initiators.resolve("write_bandwidth"), MemoryPerformance.MAX_BANDWIDTH)),
                CpuSet.of(numbered(initiators, "node")));
    }

    /** A kernel without CONFIG_NUMA has no node directory: one node has it all. */
    private HostNode wholeHost(CpuSet online) {
        Map<String, Long> meminfo = meminfo(root.resolve("proc/meminfo"));
        return new HostNode(
                0,
                online,
                kib(meminfo, "MemTotal"),
                kib(meminfo, "MemFree"),
                reclaimable(meminfo, "Cached"),
                hugePages(root.resolve("sys/kernel/mm/hugepages")),
                MemoryPerformance.UNSTATED,
                CpuSet.EMPTY);
    }

    private List<HostCpu> cpus(CpuSet online, List<HostNode> nodes) {
        var nodeOf = new HashMap<Integer, Integer>();
        for (HostNode n : nodes) {
            n.cpus().stream().forEach(c -> nodeOf.put(c, n.id()));
        }
        int fallback = nodes.getFirst().id();
        return online.stream()
                .mapToObj(id -> cpu(id, nodeOf.getOrDefault(id, fallback), online))
                .toList();
    }

    private HostCpu cpu(int id, int node, CpuSet online) {
        Path dir = cpuRoot.resolve("cpu" + id);
        Path topology = dir.resolve("topology");
        CpuSet self = CpuSet.of(id);
        // Before Linux 5.3 core_cpus_list was called thread_siblings_list.
        CpuSet threads = set(topology.resolve("core_cpus_list"), set(topology.resolve("thread_siblings_list"), self));
        return new HostCpu(
                id,
                node,
                (int) number(topology.resolve("physical_package_id"), Integer.MAX_VALUE, -1),
                (int) number(topology.resolve("die_id"), Integer.MAX_VALUE, -1),
                (int) number(topology.resolve("core_id"), Integer.MAX_VALUE, -1),
                threads.and(online).or(self),
                lastLevelCache(dir.resolve("cache"), self).and(online).or(self));
    }

    private CpuSet lastLevelCache(Path dir, CpuSet self) {
        CpuSet widest = self;
        long deepest = 0;
        for (int index : numbered(dir, "index")) {
            Path cache = dir.resolve("index" + index);
            long level = number(cache.resolve("level"), 100);
            if (level >= deepest && !text(cache.resolve("type")).equals("Instruction")) {
                deepest = level;
                widest = set(cache.resolve("shared_cpu_list"), self);
            }
        }
        return widest;
    }

    private List<List<Integer>> distances(List<HostNode> nodes) {
        var rows = new ArrayList<List<Integer>>();
        for (int i = 0; i < nodes.size(); i++) {
            String line = text(nodeRoot.resolve("node" + nodes.get(i).id()).resolve("distance"));
            String[] words = line.split("\\s+", -1);
            var row = new ArrayList<Integer>();
            for (int j = 0; j < nodes.size(); j++) {
                int missing = i == j ? NumaTopology.LOCAL_DISTANCE : NumaTopology.DEFAULT_DISTANCE;
                // One value for each online node, in order; anything else is not this kernel's file.
                boolean good = words.length == nodes.size() && words[j].matches("[0-9]{1,3}");
                row.add(good ? Integer.valueOf(words[j]) : Integer.valueOf(missing));
            }
            rows.add(row);
        }
        return rows;
    }

    private List<HugePages> hugePages(Path dir) {
        return IntStream.of(numbered(dir, "hugepages-"))
                .mapToObj(kib -> {
                    Path d = dir.resolve("hugepages-" + kib + "kB");
                    return new HugePages(
                            (long) kib << 10,
                            number(d.resolve("nr_hugepages"), Integer.MAX_VALUE),
                            number(d.resolve("free_hugepages"), Integer.MAX_VALUE));
                })
                .sorted(Comparator.comparingLong(HugePages::size))
                .toList();
    }

    /** The numbers of the entries called {@code prefix} and a number, ascending. */
    private static int[] numbered(Path dir, String prefix) {
        var numbers = new ArrayList<Integer>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(dir, prefix + "*")) {
            for (Path entry : entries) {
                Matcher m = NUMBERED.matcher(entry.getFileName().toString());
                if (m.matches()) {
                    numbers.add(Integer.valueOf(m.group(1)));
                }
            }
        } catch (NoSuchFileException e) {
            return new int[0];
        } catch (IOException e) {
            throw unreadable(dir, e);
        }
        return numbers.stream().mapToInt(Integer::intValue).sorted().toArray();
    }

    private static Map<String, Long> meminfo(Path file) {
        var values = new HashMap<String, Long>();
        Matcher m = MEMINFO.matcher(text(file));
        while (m.find()) {
            values.put(m.group(1), Long.valueOf(m.group(2)));
        }
        return values;
    }

    private static long kib(Map<String, Long> meminfo, String key) {
        return meminfo.getOrDefault(key, 0L) << 10;
    }

    /** Page cache without shared memory (which only swap could free), and reclaimable slabs. */
    private static long reclaimable(Map<String, Long> meminfo, String cache) {
        return Math.max(0, kib(meminfo, cache) - kib(meminfo, "Shmem")) + kib(meminfo, "SReclaimable");
    }

    private static CpuSet statusSet(Path file, String key, CpuSet missing) {
        return text(file)
                .lines()
                .filter(l -> l.startsWith(key + ":"))
                .findFirst()
                .map(l -> parse(file, l.substring(key.length() + 1), CpuSet::parse))
                .orElse(missing);
    }

    private static String chosen(Path file) {
        Matcher m = CHOSEN.matcher(text(file));
        return m.find() ? m.group(1) : "";
    }

    private static CpuSet set(Path file, CpuSet missing) {
        String text = text(file);
        return text.isEmpty() && !Files.exists(file) ? missing : parse(file, text, CpuSet::parse);
    }

    private static long number(Path file, long most) {
        return number(file, most, 0);
    }

    private static long number(Path file, long most, long missing) {
        String text = text(file);
        if (text.isEmpty()) {
            return missing;
        }
        return parse(file, text, t -> Math.min(Long.parseLong(t), most));
    }

    private static <T> T parse(Path file, String text, Function<String, T> how) {
        try {
            return how.apply(text);
        } catch (IllegalArgumentException e) {
            throw new HypervisorException(
                    "host-topology", "can't read " + file + ": \"" + text + "\"", null, 0, null, e);
        }
    }

    /** The file's text without white space around it; empty if there is no such file. */
    private static String text(Path file) {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1).strip();
        } catch (NoSuchFileException e) {
            return "";
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    private static HypervisorException unreadable(Path path, IOException e) {
        return new HypervisorException(
                "host-topology",
                "can't read " + path + ": " + e.getMessage(),
                "read",
                0,
                "make /sys and /proc readable for this process",
                e);
    }
}
