package io.javisor.numa;

/**
 * One thing that is wrong with a topology.
 *
 * @param path where, relative to the machine's description, as in {@code numa.nodes[1].vcpus}
 * @param message what is wrong, with the value and what would be right
 */
public record TopologyProblem(String path, String message) {
    @Override
    public String toString() {
        return path + ": " + message;
    }
}
