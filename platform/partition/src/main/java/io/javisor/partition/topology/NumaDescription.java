package io.javisor.partition.topology;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * How far apart a guest's NUMA nodes are: what the SLIT and the HMAT say. A node's number is its proximity domain. Rows are
 * initiators (where the processor is), columns targets (where the memory is).
 *
 * @param distances ACPI distances: 10 for the node itself, 11 to 254, or 255 for unreachable (ACPI 6.5 section 5.2.17)
 * @param performance latencies and bandwidths, as far as stated
 */
public record NumaDescription(List<List<Integer>> distances, List<List<Performance>> performance) {
    /** Most nodes: what stock x86 kernels know (CONFIG_NODES_SHIFT=6). */
    public static final int MAX_NODES = 64;

    /** A node's distance to itself. */
    public static final int LOCAL = 10;

    /** The distance between nodes for which none is given: the kernel's REMOTE_DISTANCE. */
    public static final int REMOTE = 20;

    /** The distance of memory that can't be reached at all. */
    public static final int UNREACHABLE = 255;

    /**
     * How fast the memory of one node is for the processors of another; 0 where nothing is stated.
     *
     * @param readLatency nanoseconds, 0 to 65,534
     * @param writeLatency nanoseconds, 0 to 65,534
     * @param readBandwidth megabytes a second, 0 to 65,534 × 2²⁰
     * @param writeBandwidth megabytes a second, 0 to 65,534 × 2²⁰
     */
    public record Performance(int readLatency, int writeLatency, long readBandwidth, long writeBandwidth) {
        /** Nothing stated. */
        public static final Performance UNSTATED = new Performance(0, 0, 0, 0);

        /** Checks the ranges. */
        public Performance {
            if (readLatency < 0 || readLatency > 65_534 || writeLatency < 0 || writeLatency > 65_534) {
                throw new IllegalArgumentException(
                        "latency of " + readLatency + " or " + writeLatency + " ns: must be 0 to 65534");
            }
            long most = 65_534L << 20;
            if (readBandwidth < 0 || readBandwidth > most || writeBandwidth < 0 || writeBandwidth > most) {
                throw new IllegalArgumentException(
                        "bandwidth of " + readBandwidth + " or " + writeBandwidth + " MB/s: must be 0 to " + most);
            }
        }

        /** Whether anything is stated. */
        public boolean stated() {
            return readLatency != 0 || writeLatency != 0 || readBandwidth != 0 || writeBandwidth != 0;
        }
    }

    /** Checks sizes and distances. */
    public NumaDescription {
        distances = distances.stream().map(List::copyOf).toList();
        performance = performance.stream().map(List::copyOf).toList();
        int n = distances.size();
        if (n < 1 || n > MAX_NODES) {
            throw new IllegalArgumentException(n + " nodes: must be 1 to " + MAX_NODES);
        }
        if (performance.size() != n) {
            throw new IllegalArgumentException("distances of " + n + " nodes, performance of " + performance.size());
        }
        for (int from = 0; from < n; from++) {
            if (distances.get(from).size() != n || performance.get(from).size() != n) {
                throw new IllegalArgumentException("row " + from + " is not " + n + " long");
            }
            for (int to = 0; to < n; to++) {
                int d = distances.get(from).get(to);
                if (from == to ? d != LOCAL : d <= LOCAL || d > UNREACHABLE) {
                    throw new IllegalArgumentException("distance " + d + " from node " + from + " to " + to
                            + ": must be 10 for the node itself, else 11 to 255");
                }
            }
        }
    }

    /** Nodes that are all 20 apart, with nothing stated of their speed. */
    public static NumaDescription uniform(int nodes) {
        var distances = new ArrayList<List<Integer>>();
        for (int from = 0; from < nodes; from++) {
            var row = new ArrayList<>(Collections.nCopies(nodes, REMOTE));
            row.set(from, LOCAL);
            distances.add(row);
        }
        return of(distances);
    }

    /** The given distances, with nothing stated of speed. */
    public static NumaDescription of(List<List<Integer>> distances) {
        int n = distances.size();
        return new NumaDescription(distances, Collections.nCopies(n, Collections.nCopies(n, Performance.UNSTATED)));
    }

    /** How many nodes. */
    public int nodes() {
        return distances.size();
    }

    /** How far the memory of node {@code to} is from the processors of node {@code from}. */
    public int distance(int from, int to) {
        return distances.get(from).get(to);
    }

    /** How fast the memory of node {@code to} is for the processors of node {@code from}. */
    public Performance performance(int from, int to) {
        return performance.get(from).get(to);
    }

    /** Whether any latency or bandwidth is stated, so that the guest needs an HMAT. */
    public boolean hasPerformance() {
        return performance.stream().flatMap(List::stream).anyMatch(Performance::stated);
    }
}
