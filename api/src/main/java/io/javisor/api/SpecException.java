package io.javisor.api;

import io.javisor.partition.HypervisorException;
import java.io.ObjectInputStream;
import java.util.List;
import java.util.stream.Collectors;

/** A machine's description that can't be built, with all of its problems at once. */
public final class SpecException extends HypervisorException {
    private static final long serialVersionUID = 1L;

    private final transient List<Problem> problems;

    /**
     * One thing that is wrong.
     *
     * @param path where in the description, as in {@code numa.nodes[1].vcpus}
     * @param message what is wrong, with the value and what would be right
     */
    public record Problem(String path, String message) {
        @Override
        public String toString() {
            return path + ": " + message;
        }
    }

    /** @param problems at least one */
    public SpecException(String machine, List<Problem> problems) {
        super(
                "spec",
                "machine \"" + machine + "\" can't be built:\n  "
                        + problems.stream().map(Problem::toString).collect(Collectors.joining("\n  ")),
                null);
        this.problems = List.copyOf(problems);
    }

    /** All that is wrong, in the order of the description. */
    public List<Problem> problems() {
        return problems;
    }

    private void readObject(ObjectInputStream in) throws java.io.NotSerializableException {
        throw new java.io.NotSerializableException("SpecException");
    }
}
