package io.javisor.numa.host;

import io.javisor.numa.CpuSet;
import io.javisor.numa.host.NumaWarning.Severity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Looks at a host's topology and says what makes guests slow, and what to change. Pure. */
public final class NumaDoctor {
    /** Nodes count as equal while the smaller has at least this part of the larger: kernels keep some of one node. */
    private static final double EQUAL = 0.85;

    /** A node is short when less than this part of its memory is available. */
    private static final double SHORT = 0.10;

    private final HostTopology host;
    private final List<NumaWarning> warnings = new ArrayList<>();

    private NumaDoctor(HostTopology host) {
        this.host = host;
    }

    /** All warnings about a host, the worst first; empty if there is nothing to say. */
    public static List<NumaWarning> examine(HostTopology host) {
        var doctor = new NumaDoctor(host);
        doctor.nodesWithoutMemory();
        doctor.cpusetCrossings();
        doctor.unequalMemory();
        doctor.unequalCpus();
        doctor.shortNodes();
        doctor.hugePages();
        doctor.sharedHugePages();
        doctor.memoryOnlyNodes();
        doctor.hiddenNodes();
        doctor.isolatedAndOffline();
        doctor.warnings.sort(Comparator.comparing(NumaWarning::severity));
        return List.copyOf(doctor.warnings);
    }

    private void nodesWithoutMemory() {
        for (HostNode n : host.nodes()) {
            if (!n.cpus().isEmpty() && !n.hasMemory()) {
                String cross = nearestMemory(n, HostNode::hasMemory)
                        .map(m -> "must cross to node " + m.id() + " (distance " + host.distance(n.id(), m.id()) + ")")
                        .orElse("reach none");
                warn(
                        "node-without-memory",
                        Severity.WORST,
                        "node " + n.id() + " has no local memory: every access of its processors " + n.cpus() + " "
                                + cross,
                        "fit memory modules in that socket's slots, as many as in the others, or take its processors"
                                + " out of use for guests");
            }
        }
    }

    /** Processors that may run, on nodes whose memory may not be used. */
    private void cpusetCrossings() {
        for (HostNode n : host.nodes()) {
            CpuSet allowed = n.cpus().and(host.allowedCpus());
            if (!allowed.isEmpty() && n.hasMemory() && !host.usableMemory(n)) {
                String cross = nearestMemory(n, host::usableMemory)
                        .map(m -> " must cross to node " + m.id() + " (distance " + host.distance(n.id(), m.id()) + ")")
                        .orElse(" reach no memory");
                warn(
                        "cpuset-crosses-nodes",
                        Severity.WORST,
                        "processors " + allowed + " are allowed to this process but the memory of their node " + n.id()
                                + " is not: they" + cross,
                        "add node " + n.id()
                                + " to the cpuset (cpuset.mems), or take the processors out of cpuset.cpus");
            }
        }
    }

    private void unequalMemory() {
        List<HostNode> local = host.nodes().stream()
                .filter(n -> n.hasMemory() && !n.cpus().isEmpty())
                .toList();
        long most = local.stream().mapToLong(HostNode::memoryTotal).max().orElse(0);
        long least = local.stream().mapToLong(HostNode::memoryTotal).min().orElse(0);
        if (least < most * EQUAL) {
            warn(
                    "unequal-memory",
                    Severity.SLOW,
                    "nodes have unequal memory: "
                            + local.stream()
                                    .map(n -> "node " + n.id() + " " + mib(n.memoryTotal()))
                                    .collect(Collectors.joining(", "))
                            + "; guests of equal nodes fit only as the smallest allows",
                    "fit the same memory modules in every socket");
        }
    }

    private void unequalCpus() {
        List<HostNode> local =
                host.nodes().stream().filter(n -> !n.cpus().isEmpty()).toList();
        int most = local.stream().mapToInt(n -> n.cpus().size()).max().orElse(0);
        int least = local.stream().mapToInt(n -> n.cpus().size()).min().orElse(0);
        if (least < most) {
            warn(
                    "unequal-processors",
                    Severity.NOTE,
                    "nodes have unequal numbers of processors: "
                            + local.stream()
                                    .map(n -> "node " + n.id() + " " + n.cpus().size())
                                    .collect(Collectors.joining(", ")),
                    "bring offline processors online, or give guest nodes at most " + least + " vCPUs");
        }
    }

    private void shortNodes() {
        for (HostNode n : host.nodes()) {
            if (n.hasMemory() && n.memoryAvailable() < n.memoryTotal() * SHORT) {
                warn(
                        "node-short-of-memory",
                        Severity.SLOW,
                        "node " + n.id() + " is short of memory: " + mib(n.memoryAvailable()) + " of "
                                + mib(n.memoryTotal()) + " available; new guests will span to other nodes",
                        "stop or move what runs there (numactl, or a machine's numa().move(..)), or add memory");
            }
        }
    }

    private void hugePages() {
        var sizes = new TreeSet<Long>();
        host.nodes().forEach(n -> n.hugePages().forEach(h -> sizes.add(h.size())));
        for (long size : sizes) {
            List<HostNode> having =
                    host.nodes().stream().filter(n -> total(n, size) > 0).toList();
            List<HostNode> lacking = host.nodes().stream()
                    .filter(n -> n.hasMemory() && !n.cpus().isEmpty() && total(n, size) == 0)
                    .toList();
            if (!having.isEmpty() && !lacking.isEmpty()) {
                int to = lacking.getFirst().id();
                warn(
                        "huge-pages-uneven",
                        Severity.SLOW,
                        "huge pages of " + mib(size) + " are on node " + ids(having) + " only, none on node "
                                + ids(lacking) + ": guests that want them can't be placed there",
                        "echo " + total(having.getFirst(), size) + " > /sys/devices/system/node/node" + to
                                + "/hugepages/hugepages-" + (size >> 10) + "kB/nr_hugepages");
            }
        }
    }

    private void sharedHugePages() {
        String mode = host.sharedHugePages();
        if (mode.equals("never") || mode.equals("deny")) {
            warn(
                    "shared-huge-pages-off",
                    Severity.SLOW,
                    "transparent huge pages are off for shared memory (shmem_enabled is " + mode
                            + "), so guests without hugetlb pages run on pages of 4 KiB",
                    "echo advise > /sys/kernel/mm/transparent_hugepage/shmem_enabled");
        }
    }

    private void memoryOnlyNodes() {
        for (HostNode n : host.nodes()) {
            if (n.cpus().isEmpty() && n.hasMemory()) {
                String near = n.performance().stated()
                        ? ", " + n.performance().readLatency() + " ns and "
                                + n.performance().readBandwidth() + " MiB/s from node " + n.nearest()
                        : "";
                warn(
                        "memory-only-node",
                        Severity.NOTE,
                        "node " + n.id() + " has " + mib(n.memoryTotal()) + " of memory but no processors" + near,
                        "it is used only for guest nodes that name it (hostNode(" + n.id()
                                + ")); mirror it as a guest node without vCPUs");
            }
        }
    }

    private void hiddenNodes() {
        CpuSet hidden = host.online().minus(host.allowedCpus());
        if (!hidden.isEmpty()) {
            warn(
                    "cpus-not-allowed",
                    Severity.NOTE,
                    "processors " + hidden + " are closed to this process by its cpuset or affinity",
                    "widen cpuset.cpus or start it without taskset, if guests should run there");
        }
        List<HostNode> closed = host.nodes().stream()
                .filter(n -> n.hasMemory() && !host.usableMemory(n))
                .toList();
        if (!closed.isEmpty()) {
            warn(
                    "memory-not-allowed",
                    Severity.NOTE,
                    "the memory of node " + ids(closed) + " is closed to this process by its cpuset",
                    "widen cpuset.mems, if guests should use it");
        }
    }

    private void isolatedAndOffline() {
        CpuSet isolated = host.isolated().and(host.online());
        if (!isolated.isEmpty()) {
            warn(
                    "isolated-cpus",
                    Severity.NOTE,
                    "processors " + isolated + " are isolated: floating vCPUs are kept off them",
                    "pin vCPUs there by name, or drop isolcpus= from the kernel's command line");
        }
        CpuSet offline = host.offline();
        if (!offline.isEmpty()) {
            int first = offline.first();
            warn(
                    "offline-cpus",
                    Severity.NOTE,
                    "processors " + offline + " are offline",
                    "echo 1 > /sys/devices/system/cpu/cpu" + first + "/online");
        }
    }

    private Optional<HostNode> nearestMemory(HostNode from, Function<HostNode, Boolean> usable) {
        return host.nodes().stream()
                .filter(m -> m.id() != from.id() && usable.apply(m))
                .min(Comparator.comparingInt(m -> host.distance(from.id(), m.id())));
    }

    private static long total(HostNode node, long size) {
        return node.hugePages().stream()
                .filter(h -> h.size() == size)
                .mapToLong(HugePages::total)
                .sum();
    }

    private static String ids(List<HostNode> nodes) {
        return CpuSet.of(nodes.stream().mapToInt(HostNode::id).toArray()).toString();
    }

    static String mib(long bytes) {
        return bytes >= 10L << 30 ? (bytes >> 30) + " GiB" : (bytes >> 20) + " MiB";
    }

    private void warn(String code, Severity severity, String message, String remedy) {
        warnings.add(new NumaWarning(code, severity, message, remedy));
    }
}
