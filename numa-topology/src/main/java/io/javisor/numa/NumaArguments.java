package io.javisor.numa;

import io.javisor.partition.MemoryBacking.Policy;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads a topology as it is written on a command line:
 *
 * <pre>
 *   --numa vcpus=2,memory=1G,host-node=0,policy=bind,hugepages=2M     one for each node; every part may be left out
 *   --numa-distance 0:1=21                                            from:to=value
 *   --numa-speed 0:1=140,25600                                        from:to=nanoseconds[,MiB a second]
 *   --cpu-layout sockets=2,dies=1,cores=4,threads=2                   every part may be left out
 *   --numa-mirror vcpus=8,memory=16G,nodes-per-socket=1               limits; every part may be left out
 * </pre>
 */
public final class NumaArguments {
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,15})([KMGT]?)(?:I?B)?");
    private static final Pattern DISTANCE =
            Pattern.compile("\\s*([0-9]{1,4})\\s*:\\s*([0-9]{1,4})\\s*=\\s*([0-9]{1,4})\\s*");
    private static final Pattern SPEED = Pattern.compile(
            "\\s*([0-9]{1,4})\\s*:\\s*([0-9]{1,4})\\s*=\\s*([0-9]{1,9})\\s*(?:,\\s*([0-9]{1,15})\\s*)?");
    private static final Pattern COUNT = Pattern.compile("[0-9]{1,9}");

    private final List<TopologyProblem> problems = new ArrayList<>();
    private final NumaTopologyBuilder builder;

    private NumaArguments(NumaTopologyBuilder builder) {
        this.builder = builder;
    }

    /**
     * Reads all options into a builder, whose own checks come when it is built.
     *
     * @param nodes the values of {@code --numa}, in order
     * @param distances the values of {@code --numa-distance}
     * @throws TopologyException code {@code numa-spec}, with every part that can't be read
     */
    public static NumaTopologyBuilder parse(List<String> nodes, List<String> distances) {
        NumaTopologyBuilder builder = NumaTopology.builder();
        describe(builder, nodes, distances, List.of(), List.of());
        return builder;
    }

    /**
     * Reads all options into a builder that is there.
     *
     * @param into the builder
     * @param nodes the values of {@code --numa}, in order
     * @param distances the values of {@code --numa-distance}
     * @param speeds the values of {@code --numa-speed}
     * @param layout the values of {@code --cpu-layout}
     * @throws TopologyException code {@code numa-spec}, with every part that can't be read
     */
    public static void describe(
            NumaTopologyBuilder into,
            List<String> nodes,
            List<String> distances,
            List<String> speeds,
            List<String> layout) {
        var arguments = new NumaArguments(into);
        for (int i = 0; i < nodes.size(); i++) {
            arguments.node("--numa[" + i + "]", nodes.get(i));
        }
        for (int i = 0; i < distances.size(); i++) {
            arguments.distance("--numa-distance[" + i + "]", distances.get(i));
        }
        for (int i = 0; i < speeds.size(); i++) {
            arguments.speed("--numa-speed[" + i + "]", speeds.get(i));
        }
        layout.forEach(text -> arguments.parts("--cpu-layout", text, arguments::layout));
        arguments.throwIfAny();
    }

    /**
     * Reads the limits of {@code --numa-mirror}.
     *
     * @param text {@code vcpus=N,memory=SIZE,nodes-per-socket=N}, parts of it, or nothing
     * @param defaults what holds where nothing is said
     * @throws TopologyException code {@code numa-spec}, with every part that can't be read
     */
    public static MirrorLimits limits(String text, MirrorLimits defaults) {
        var arguments = new NumaArguments(NumaTopology.builder());
        var seen = new long[] {defaults.processorsPerNode(), defaults.memoryPerNode(), defaults.nodesPerSocket()};
        if (!text.isBlank()) {
            arguments.parts("--numa-mirror", text, (path, key, value) -> {
                switch (key) {
                    case "vcpus" -> seen[0] = arguments.atLeast(1, path, arguments.count(path, value));
                    case "memory" ->
                        seen[1] = arguments.atLeast(NumaTopology.MEMORY_GRANULE, path, arguments.size(path, value));
                    case "nodes-per-socket" -> seen[2] = arguments.atLeast(1, path, arguments.count(path, value));
                    default -> arguments.unknown(path, key, "vcpus, memory and nodes-per-socket");
                }
            });
        }
        arguments.throwIfAny();
        return new MirrorLimits((int) seen[0], seen[1], (int) seen[2]);
    }

    private void throwIfAny() {
        if (!problems.isEmpty()) {
            throw new TopologyException("numa-spec", "the NUMA options can't be read", problems);
        }
    }

    private long atLeast(long least, String path, long value) {
        if (value < least) {
            problem(path, value + "; at least " + least + " is possible");
        }
        return value;
    }

    private void unknown(String path, String key, String possible) {
        problem(path.substring(0, path.lastIndexOf('.')), "\"" + key + "\" is unknown; possible are " + possible);
    }

    /** What is done with one part of a list of {@code key=value}; {@code path} ends in the key. */
    private interface Part {
        void take(String path, String key, String value);
    }

    private void parts(String path, String text, Part part) {
        var seen = new HashSet<String>();
        for (String word : text.split(",", -1)) {
            int equals = word.indexOf('=');
            String key = (equals < 0 ? word : word.substring(0, equals)).strip().toLowerCase(Locale.ROOT);
            String value = equals < 0 ? "" : word.substring(equals + 1).strip();
            if (value.isEmpty()) {
                problem(path, "\"" + word.strip() + "\" is not key=value");
            } else if (!seen.add(key)) {
                problem(path + "." + key, "is given twice");
            } else {
                part.take(path + "." + key, key, value);
            }
        }
    }

    private void layout(String path, String key, String value) {
        switch (key) {
            case "sockets" -> builder.sockets(count(path, value));
            case "dies" -> builder.dies(count(path, value));
            case "cores" -> builder.cores(count(path, value));
            case "threads" -> builder.threads(count(path, value));
            case "nodes-per-socket" -> builder.nodesPerSocket(count(path, value));
            default -> unknown(path, key, "sockets, dies, cores, threads and nodes-per-socket");
        }
    }

    private void speed(String path, String text) {
        Matcher m = SPEED.matcher(text);
        if (m.matches()) {
            builder.performance(
                    Integer.parseInt(m.group(1)),
                    Integer.parseInt(m.group(2)),
                    Integer.parseInt(m.group(3)),
                    m.group(4) == null ? 0 : Long.parseLong(m.group(4)));
        } else {
            problem(path, "\"" + text + "\" is not from:to=nanoseconds,MiB-a-second, such as 0:1=140,25600");
        }
    }

    private void node(String path, String text) {
        builder.node(n -> {
            var seen = new HashSet<String>();
            for (String part : text.split(",", -1)) {
                int equals = part.indexOf('=');
                String key =
                        (equals < 0 ? part : part.substring(0, equals)).strip().toLowerCase(Locale.ROOT);
                String value = equals < 0 ? "" : part.substring(equals + 1).strip();
                if (value.isEmpty()) {
                    problem(path, "\"" + part.strip() + "\" is not key=value; write vcpus=2,memory=1G,host-node=0");
                } else if (!key.equals("host-node") && !seen.add(key)) {
                    problem(path + "." + key, "is given twice");
                } else {
                    set(n, path, key, value);
                }
            }
        });
    }

    private void set(NumaNodeBuilder node, String path, String key, String value) {
        switch (key) {
            case "vcpus" -> node.vcpus(count(path + ".vcpus", value));
            case "memory" -> node.memory(size(path + ".memory", value));
            case "host-node" -> node.hostNode(count(path + ".host-node", value));
            case "policy" -> policy(node, path + ".policy", value);
            case "hugepages" -> node.hugePages(size(path + ".hugepages", value));
            default ->
                problem(
                        path,
                        "\"" + key + "\" is unknown; possible are vcpus, memory, host-node, policy and hugepages");
        }
    }

    private void policy(NumaNodeBuilder node, String path, String value) {
        switch (value.toLowerCase(Locale.ROOT)) {
            case "bind" -> node.policy(Policy.BIND);
            case "preferred" -> node.policy(Policy.PREFERRED);
            case "interleave" -> node.policy(Policy.INTERLEAVE);
            default -> problem(path, "\"" + value + "\" is unknown; possible are bind, preferred and interleave");
        }
    }

    private void distance(String path, String text) {
        Matcher m = DISTANCE.matcher(text);
        if (m.matches()) {
            builder.distance(Integer.parseInt(m.group(1)), Integer.parseInt(m.group(2)), Integer.parseInt(m.group(3)));
        } else {
            problem(path, "\"" + text + "\" is not from:to=value, such as 0:1=21");
        }
    }

    private int count(String path, String value) {
        if (!COUNT.matcher(value).matches()) {
            problem(path, "\"" + value + "\" is not a number");
            return 0;
        }
        return Integer.parseInt(value);
    }

    private long size(String path, String value) {
        Matcher m = SIZE.matcher(value.toUpperCase(Locale.ROOT));
        if (!m.matches()) {
            problem(path, "\"" + value + "\" is not a memory size; write 512M, 2G or a number of bytes");
            return 0;
        }
        int shift = switch (m.group(2)) {
            case "K" -> 10;
            case "M" -> 20;
            case "G" -> 30;
            case "T" -> 40;
            default -> 0;
        };
        long n = Long.parseLong(m.group(1));
        if (n > Long.MAX_VALUE >> shift) {
            problem(path, "\"" + value + "\" is too large");
            return 0;
        }
        return n << shift;
    }

    private void problem(String path, String message) {
        problems.add(new TopologyProblem(path, message));
    }
}
