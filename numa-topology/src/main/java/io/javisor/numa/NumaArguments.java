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
 * </pre>
 */
public final class NumaArguments {
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,15})([KMGT]?)(?:I?B)?");
    private static final Pattern DISTANCE =
            Pattern.compile("\\s*([0-9]{1,4})\\s*:\\s*([0-9]{1,4})\\s*=\\s*([0-9]{1,4})\\s*");
    private static final Pattern COUNT = Pattern.compile("[0-9]{1,9}");

    private final List<TopologyProblem> problems = new ArrayList<>();
    private final NumaTopologyBuilder builder = NumaTopology.builder();

    private NumaArguments() {}

    /**
     * Reads all options into a builder, whose own checks come when it is built.
     *
     * @param nodes the values of {@code --numa}, in order
     * @param distances the values of {@code --numa-distance}
     * @throws TopologyException code {@code numa-spec}, with every part that can't be read
     */
    public static NumaTopologyBuilder parse(List<String> nodes, List<String> distances) {
        var arguments = new NumaArguments();
        for (int i = 0; i < nodes.size(); i++) {
            arguments.node("--numa[" + i + "]", nodes.get(i));
        }
        for (int i = 0; i < distances.size(); i++) {
            arguments.distance("--numa-distance[" + i + "]", distances.get(i));
        }
        if (!arguments.problems.isEmpty()) {
            throw new TopologyException("numa-spec", "the NUMA options can't be read", arguments.problems);
        }
        return arguments.builder;
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
