package io.javisor.numa.placement;

import io.javisor.numa.CpuSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Loads of hosts that are made up. */
final class Hosts {
    static final long GIB = 1L << 30;

    private Hosts() {}

    /** Equal nodes in two rows of sockets: 10 to itself, 21 within a row, 31 across. */
    static HostLoad even(int nodes, int cpus, long memory) {
        var list = new ArrayList<HostLoad.Node>();
        var distances = new ArrayList<List<Integer>>();
        for (int n = 0; n < nodes; n++) {
            list.add(new HostLoad.Node(
                    n, CpuSet.range(n * cpus, (n + 1) * cpus), memory, Map.of(2L << 20, memory / 4), 0));
            var row = new ArrayList<Integer>();
            for (int m = 0; m < nodes; m++) {
                row.add(n == m ? 10 : n / Math.max(1, nodes / 2) == m / Math.max(1, nodes / 2) ? 21 : 31);
            }
            distances.add(row);
        }
        return new HostLoad(list, distances);
    }
}
