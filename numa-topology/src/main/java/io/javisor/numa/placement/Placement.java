package io.javisor.numa.placement;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;

/**
 * Where a machine really lies, as the host's kernel told it at one moment.
 *
 * @param nodes by guest node
 * @param vcpus by vCPU index
 */
public record Placement(List<Node> nodes, List<Vcpu> vcpus) {
    /**
     * Where the memory of one guest node lies.
     *
     * @param guestNode its number
     * @param wanted bit i stands for host node i, on which it should lie; 0 if anywhere
     * @param bytes touched memory, by host node
     */
    public record Node(int guestNode, long wanted, Map<Integer, Long> bytes) {
        /** Copies the map. */
        public Node {
            bytes = Map.copyOf(bytes);
        }

        /** Pages of 4 KiB on a host node. */
        public long pages(int hostNode) {
            return bytes.getOrDefault(hostNode, 0L) >> 12;
        }

        /** Touched memory in bytes. */
        public long touched() {
            return bytes.values().stream().mapToLong(Long::longValue).sum();
        }

        /** The part of the touched memory that lies where it should, 0 to 1; empty if nothing is touched or wanted. */
        public OptionalDouble local() {
            if (wanted == 0 || touched() == 0) {
                return OptionalDouble.empty();
            }
            long there = bytes.entrySet().stream()
                    .filter(e -> (wanted >>> e.getKey() & 1) == 1)
                    .mapToLong(Map.Entry::getValue)
                    .sum();
            return OptionalDouble.of((double) there / touched());
        }
    }

    /**
     * Where one vCPU last ran.
     *
     * @param index of the vCPU
     * @param cpu the host CPU that its thread last ran on, or −1 if it has ended
     * @param hostNode that CPU's host node, or −1
     */
    public record Vcpu(int index, int cpu, int hostNode) {}

    /** Copies the lists. */
    public Placement {
        nodes = List.copyOf(nodes);
        vcpus = List.copyOf(vcpus);
    }

    /** The report as lines of text: a line for each node, and one for each vCPU. */
    public List<String> describe() {
        var lines = new ArrayList<String>();
        for (Node n : nodes) {
            var text = new StringBuilder("node " + n.guestNode() + ":");
            new TreeMap<>(n.bytes())
                    .forEach((host, bytes) -> text.append(' ')
                            .append(bytes >> 12)
                            .append(" pages on host node ")
                            .append(host)
                            .append(','));
            if (n.bytes().isEmpty()) {
                text.append(" no memory touched,");
            }
            text.setLength(text.length() - 1);
            n.local().ifPresent(l -> text.append(String.format(Locale.ROOT, " (%.1f %% in place)", 100 * l)));
            lines.add(text.toString());
        }
        for (Vcpu v : vcpus) {
            lines.add("vCPU " + v.index() + ": "
                    + (v.cpu() < 0 ? "ended" : "last on CPU " + v.cpu() + " of host node " + v.hostNode()));
        }
        return List.copyOf(lines);
    }
}
