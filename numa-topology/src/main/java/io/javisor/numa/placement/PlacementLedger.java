package io.javisor.numa.placement;

import io.javisor.numa.NumaNode;
import io.javisor.numa.NumaTopology;
import io.javisor.numa.TopologyProblem;
import io.javisor.partition.MemoryBacking.Policy;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** One attempt at a plan: what host nodes have left while guest nodes are put on them. */
final class PlacementLedger {
    private static final long GRANULE = NumaTopology.MEMORY_GRANULE;

    private final HostLoad load;
    private final NumaTopology guest;
    private final HostLoad.Node[] left;
    private final PlacementPlan.@Nullable Node[] placed;

    PlacementLedger(HostLoad load, NumaTopology guest) {
        this(
                load,
                guest,
                load.nodes().toArray(HostLoad.Node[]::new),
                new PlacementPlan.Node[guest.nodes().size()]);
    }

    private PlacementLedger(
            HostLoad load, NumaTopology guest, HostLoad.Node[] left, PlacementPlan.@Nullable Node[] placed) {
        this.load = load;
        this.guest = guest;
        this.left = left;
        this.placed = placed;
    }

    PlacementLedger copy() {
        return new PlacementLedger(load, guest, left.clone(), placed.clone());
    }

    PlacementPlan plan() {
        var nodes = new ArrayList<PlacementPlan.Node>();
        for (PlacementPlan.Node n : placed) {
            if (n == null) {
                throw new IllegalStateException("a guest node is not placed");
            }
            nodes.add(n);
        }
        return new PlacementPlan(nodes);
    }

    /** Puts a guest node on the host nodes that it names: evenly if interleaved, else filling them in order. */
    boolean placeNamed(int n) {
        NumaNode node = guest.nodes().get(n);
        List<Integer> hosts = node.hostNodes().stream().map(load::index).toList();
        Map<Integer, Long> bytes = node.policy() == Policy.INTERLEAVE ? even(node, hosts) : fill(node, hosts);
        if (bytes == null && node.policy() == Policy.PREFERRED && guest.spanning()) {
            // Preferred memory may lie elsewhere: the nearest nodes with room take the rest.
            bytes = fill(node, byDistance(hosts.getFirst()));
        }
        if (bytes == null) {
            return false;
        }
        take(n, bytes, node.policy(), hosts.getFirst());
        return true;
    }

    /** Puts all of them on the given host nodes, each on the first that has room. */
    boolean placeAll(List<Integer> order, List<Integer> hosts, boolean keepToCpus) {
        for (int n : order) {
            NumaNode node = guest.nodes().get(n);
            int vcpus = node.vcpus().size();
            int best = -1;
            for (int h : hosts) {
                // Memory-only host nodes are slow: they are for guest nodes that name them.
                boolean fits = left[h].free(node.hugePageSize()) >= node.memory()
                        && !left[h].cpus().isEmpty();
                if (!fits || (keepToCpus && vcpus > 0 && left[h].loadWith(vcpus) > 1)) {
                    continue;
                }
                if (best < 0 || (!keepToCpus && left[h].loadWith(vcpus) < left[best].loadWith(vcpus))) {
                    best = h;
                }
            }
            if (best < 0) {
                return false;
            }
            take(n, node.hasMemory() ? Map.of(best, node.memory()) : Map.of(), null, best);
        }
        return true;
    }

    /** Spreads guest nodes that are larger than what any host node has left over several, the largest first. */
    boolean span(List<Integer> order) {
        for (int n : order) {
            NumaNode node = guest.nodes().get(n);
            List<Integer> byRoom = IntStream.range(0, left.length)
                    .filter(h -> !left[h].cpus().isEmpty())
                    .boxed()
                    .sorted(Comparator.comparingLong(h -> -left[h].free(node.hugePageSize())))
                    .toList();
            if (byRoom.isEmpty()) {
                return false;
            }
            Map<Integer, Long> bytes = fill(node, byRoom);
            if (bytes == null) {
                return false;
            }
            take(n, bytes, null, byRoom.getFirst());
        }
        return true;
    }

    double highestLoad() {
        double highest = 0;
        for (HostLoad.Node n : left) {
            highest = Math.max(highest, n.vcpus() == 0 ? 0 : n.loadWith(0));
        }
        return highest;
    }

    /** Why a guest node does not fit, or null if it would by itself. */
    @Nullable
    TopologyProblem problem(int n) {
        NumaNode node = guest.nodes().get(n);
        String path = "numa.nodes[" + n + "]";
        List<Integer> hosts = node.hostNodes().isEmpty()
                ? IntStream.range(0, left.length)
                        .filter(h -> !left[h].cpus().isEmpty())
                        .boxed()
                        .toList()
                : node.hostNodes().stream().map(load::index).toList();
        if (hosts.isEmpty()
                || (node.hasVcpus()
                        && IntStream.range(0, left.length)
                                .allMatch(h -> left[h].cpus().isEmpty()))) {
            return new TopologyProblem(path + ".vcpus", "no host node has processors that this process may use");
        }
        long size = node.hugePageSize();
        String pages = size == 0 ? "" : " in huge pages of " + mib(size);
        boolean several = guest.spanning() && node.policy() != Policy.PREFERRED;
        long most = several
                ? hosts.stream().mapToLong(h -> left[h].free(size)).sum()
                : hosts.stream().mapToLong(h -> left[h].free(size)).max().orElse(0);
        if (node.memory() > most || node.policy() == Policy.INTERLEAVE) {
            return new TopologyProblem(
                    path + ".memory",
                    "needs " + mib(node.memory()) + pages + (several ? "" : " on one host node") + ", but "
                            + (node.hostNodes().isEmpty() ? "" : "of host node " + numbers(node.hostNodes()) + " ")
                            + "at most " + mib(most) + " are free: " + freeText(size));
        }
        return null;
    }

    String freeText(long size) {
        return java.util.Arrays.stream(left)
                .map(h -> "host node " + h.id() + " has " + mib(h.free(size)))
                .collect(Collectors.joining(", "));
    }

    private void take(int n, Map<Integer, Long> bytes, @Nullable Policy policy, int home) {
        NumaNode node = guest.nodes().get(n);
        Policy effective = policy != null ? policy : defaultPolicy(bytes);
        var byId = new TreeMap<Integer, Long>();
        bytes.forEach((h, b) -> {
            left[h] = left[h].take(node.hugePageSize(), b, 0);
            byId.put(load.nodes().get(h).id(), b);
        });
        int vcpus = node.vcpus().size();
        int cpuHost = vcpus == 0 ? -1 : withCpus(home);
        if (cpuHost >= 0) {
            left[cpuHost] = left[cpuHost].take(0, 0, vcpus);
        }
        placed[n] = new PlacementPlan.Node(
                n,
                byId,
                effective,
                node.hugePageSize(),
                vcpus,
                cpuHost < 0 ? -1 : left[cpuHost].id(),
                cpuHost < 0 ? io.javisor.numa.CpuSet.EMPTY : left[cpuHost].cpus());
    }

    private Policy defaultPolicy(Map<Integer, Long> bytes) {
        if (bytes.isEmpty()) {
            return Policy.DEFAULT;
        }
        return guest.spanning() && bytes.size() == 1 ? Policy.PREFERRED : Policy.BIND;
    }

    /** The host node itself if it has CPUs, else the nearest that does, or −1. */
    private int withCpus(int home) {
        return byDistance(home).stream()
                .filter(h -> !left[h].cpus().isEmpty())
                .findFirst()
                .orElse(-1);
    }

    private List<Integer> byDistance(int from) {
        return IntStream.range(0, left.length)
                .boxed()
                .sorted(Comparator.comparingInt(h -> load.distance(from, h)))
                .toList();
    }

    /** Bytes by host, filling one after the other; null if they don't suffice. */
    private @Nullable Map<Integer, Long> fill(NumaNode node, List<Integer> hosts) {
        long unit = Math.max(GRANULE, node.hugePageSize());
        long rest = node.memory();
        var bytes = new TreeMap<Integer, Long>();
        for (int h : hosts) {
            long room = Math.max(0, left[h].free(node.hugePageSize()));
            long some = Math.min(rest, room / unit * unit);
            if (some > 0) {
                bytes.put(h, some);
                rest -= some;
            }
        }
        return rest == 0 ? bytes : null;
    }

    private @Nullable Map<Integer, Long> even(NumaNode node, List<Integer> hosts) {
        long unit = Math.max(GRANULE, node.hugePageSize());
        long units = node.memory() / unit;
        var bytes = new TreeMap<Integer, Long>();
        for (int i = 0; i < hosts.size(); i++) {
            long some = (units / hosts.size() + (i < units % hosts.size() ? 1 : 0)) * unit;
            if (some > left[hosts.get(i)].free(node.hugePageSize())) {
                return null;
            }
            if (some > 0) {
                bytes.put(hosts.get(i), some);
            }
        }
        return bytes;
    }

    static String mib(long bytes) {
        return (bytes >> 20) + " MiB";
    }

    private static String numbers(List<Integer> list) {
        return list.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }
}
