package io.javisor.numa;

import java.util.Arrays;
import java.util.List;

/** The distances of a description, checked and completed. */
final class DistanceMatrix {
    private final NumaTopologyBuilder spec;
    private final List<TopologyProblem> problems;
    private final int count;

    DistanceMatrix(NumaTopologyBuilder spec, List<TopologyProblem> problems) {
        this.spec = spec;
        this.problems = problems;
        this.count = spec.nodes.size();
    }

    int[][] assemble() {
        var given = new int[count][count];
        for (NumaTopologyBuilder.Distance d : spec.distances) {
            take(given, d);
        }
        var matrix = new int[count][count];
        for (int i = 0; i < count; i++) {
            for (int j = 0; j < count; j++) {
                int back = given[j][i];
                int value = given[i][j] != 0 ? given[i][j] : back;
                matrix[i][j] =
                        i == j ? NumaTopology.LOCAL_DISTANCE : value != 0 ? value : NumaTopology.DEFAULT_DISTANCE;
            }
        }
        checkReach(matrix);
        return matrix;
    }

    private void take(int[][] given, NumaTopologyBuilder.Distance d) {
        String path = "numa.distances[" + d.from() + ":" + d.to() + "]";
        if (d.from() < 0 || d.from() >= count || d.to() < 0 || d.to() >= count) {
            problem(path, "there is no such node; nodes are 0 to " + (count - 1));
        } else if (d.from() == d.to()) {
            if (d.value() != NumaTopology.LOCAL_DISTANCE) {
                problem(
                        path,
                        d.value() + "; a node's distance to itself is " + NumaTopology.LOCAL_DISTANCE
                                + (d.value() == NumaTopology.UNREACHABLE
                                        ? ", and it can't be out of its own reach"
                                        : ""));
            }
        } else if (d.value() <= NumaTopology.LOCAL_DISTANCE || d.value() > NumaTopology.UNREACHABLE) {
            // Linux throws the whole SLIT away if one entry off the diagonal is 10 or less.
            problem(
                    path,
                    d.value() + "; possible are " + (NumaTopology.LOCAL_DISTANCE + 1) + " to "
                            + (NumaTopology.UNREACHABLE - 1) + ", or " + NumaTopology.UNREACHABLE + " for unreachable");
        } else if (given[d.from()][d.to()] != 0) {
            problem(path, "is given twice (" + given[d.from()][d.to()] + " and " + d.value() + ")");
        } else {
            given[d.from()][d.to()] = d.value();
        }
    }

    /** vCPUs that reach no memory at all can't run. */
    private void checkReach(int[][] matrix) {
        for (int i = 0; i < count; i++) {
            int[] row = matrix[i];
            boolean reaches = false;
            boolean any = false;
            for (int j = 0; j < count; j++) {
                if (spec.nodes.get(j).memory > 0) {
                    any = true;
                    reaches |= row[j] != NumaTopology.UNREACHABLE;
                }
            }
            if (any && !reaches && TopologyAssembly.hasVcpus(spec.nodes.get(i))) {
                problem("numa.nodes[" + i + "]", "its vCPUs reach no memory: distances " + Arrays.toString(row));
            }
        }
    }

    private void problem(String path, String message) {
        problems.add(new TopologyProblem(path, message));
    }
}
