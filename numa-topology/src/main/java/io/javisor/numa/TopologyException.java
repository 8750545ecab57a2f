package io.javisor.numa;

import io.javisor.partition.HypervisorException;
import java.io.NotSerializableException;
import java.io.ObjectInputStream;
import java.util.List;
import java.util.stream.Collectors;

/** A topology that can't be built or can't be placed, with all of its problems at once. */
public final class TopologyException extends HypervisorException {
    private static final long serialVersionUID = 1L;

    private final transient List<TopologyProblem> problems;

    /**
     * @param code the kind of error: {@code "numa-spec"} for a bad topology, {@code "numa-spanning"} for one that does not
     *     fit the host
     * @param summary what failed
     * @param problems at least one
     */
    public TopologyException(String code, String summary, List<TopologyProblem> problems) {
        super(
                code,
                summary + ":\n  "
                        + problems.stream().map(TopologyProblem::toString).collect(Collectors.joining("\n  ")),
                null);
        this.problems = List.copyOf(problems);
    }

    /** All that is wrong, in the order of the description. */
    public List<TopologyProblem> problems() {
        return problems;
    }

    private void readObject(ObjectInputStream in) throws NotSerializableException {
        throw new NotSerializableException("TopologyException");
    }
}
