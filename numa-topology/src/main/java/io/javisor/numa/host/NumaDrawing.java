package io.javisor.numa.host;

import io.javisor.numa.CpuSet;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Draws a host's topology as lines of plain text for a terminal. Pure. */
public final class NumaDrawing {
    private static final int BAR = 20;

    private NumaDrawing() {}

    /** The drawing: sockets with their nodes in boxes, then nodes of no socket, then the distances. No line ends in space. */
    public static List<String> draw(HostTopology host) {
        var lines = new ArrayList<String>();
        var bySocket = new TreeMap<Integer, List<HostNode>>();
        var loose = new ArrayList<HostNode>();
        for (HostNode n : host.nodes()) {
            host.cpus().stream()
                    .filter(c -> c.node() == n.id())
                    .map(HostCpu::socket)
                    .min(Comparator.naturalOrder())
                    .ifPresentOrElse(
                            s -> bySocket.computeIfAbsent(s, k -> new ArrayList<>())
                                    .add(n),
                            () -> loose.add(n));
        }
        lines.add(summary(host));
        bySocket.forEach((socket, nodes) -> {
            var inside = new ArrayList<String>();
            nodes.forEach(n -> inside.addAll(node(host, n)));
            lines.addAll(box(socket < 0 ? "socket ?" : "socket " + socket, inside));
        });
        for (HostNode n : loose) {
            lines.addAll(box("no socket", node(host, n)));
        }
        lines.addAll(distances(host));
        return List.copyOf(lines);
    }

    private static String summary(HostTopology host) {
        long memory = host.nodes().stream().mapToLong(HostNode::memoryTotal).sum();
        return count(host.nodes().size(), "node") + ", " + count(host.sockets(), "socket") + ", "
                + count(host.cpus().size(), "processor") + " online, " + NumaDoctor.mib(memory) + " of memory";
    }

    private static List<String> node(HostTopology host, HostNode n) {
        var lines = new ArrayList<String>();
        lines.add("node " + n.id());
        if (n.cpus().isEmpty()) {
            lines.add("  processors  none");
        } else {
            var notes = new ArrayList<String>();
            note(notes, "isolated", n.cpus().and(host.isolated()));
            note(notes, "closed to us", n.cpus().minus(host.allowedCpus()));
            lines.add("  processors  " + n.cpus() + (notes.isEmpty() ? "" : "  (" + String.join(", ", notes) + ")"));
            String caches = host.cacheGroups().stream()
                    .filter(g -> !g.and(n.cpus()).isEmpty())
                    .map(CpuSet::toString)
                    .collect(Collectors.joining(" | "));
            lines.add("  last cache  " + caches);
        }
        if (n.hasMemory()) {
            long used = n.memoryTotal() - Math.min(n.memoryTotal(), n.memoryAvailable());
            int full = (int) Math.round((double) BAR * used / n.memoryTotal());
            lines.add(String.format(
                    Locale.ROOT,
                    "  memory      [%s%s] %s, %s available%s",
                    "#".repeat(full),
                    ".".repeat(BAR - full),
                    NumaDoctor.mib(n.memoryTotal()),
                    NumaDoctor.mib(n.memoryAvailable()),
                    host.usableMemory(n) ? "" : "  (closed to us)"));
        } else {
            lines.add("  memory      none");
        }
        n.hugePages().stream()
                .filter(h -> h.total() > 0)
                .forEach(h -> lines.add(
                        "  huge pages  " + h.total() + " of " + NumaDoctor.mib(h.size()) + ", " + h.free() + " free"));
        if (n.performance().stated()) {
            lines.add("  speed       " + n.performance().readLatency() + " ns, "
                    + n.performance().readBandwidth() + " MiB/s from node " + n.nearest());
        }
        return lines;
    }

    private static void note(List<String> notes, String what, CpuSet cpus) {
        if (!cpus.isEmpty()) {
            notes.add(cpus + " " + what);
        }
    }

    private static List<String> box(String title, List<String> inside) {
        int width = Math.max(
                title.length() + 4,
                inside.stream().mapToInt(String::length).max().orElse(0) + 2);
        var lines = new ArrayList<String>();
        lines.add("+- " + title + " " + "-".repeat(width - title.length() - 3) + "+");
        for (String line : inside) {
            lines.add("| " + line + " ".repeat(width - line.length() - 1) + "|");
        }
        lines.add("+" + "-".repeat(width) + "+");
        return lines;
    }

    private static List<String> distances(HostTopology host) {
        var lines = new ArrayList<String>();
        if (host.nodes().size() < 2) {
            return lines;
        }
        var head = new StringBuilder("distance");
        host.nodes().forEach(n -> head.append(String.format(Locale.ROOT, "%5d", n.id())));
        lines.add(head.toString());
        for (HostNode from : host.nodes()) {
            var row = new StringBuilder(String.format(Locale.ROOT, "%8d", from.id()));
            host.nodes()
                    .forEach(to -> row.append(String.format(Locale.ROOT, "%5d", host.distance(from.id(), to.id()))));
            lines.add(row.toString());
        }
        return lines;
    }

    private static String count(int n, String what) {
        return n + " " + what + (n == 1 ? "" : "s");
    }
}
