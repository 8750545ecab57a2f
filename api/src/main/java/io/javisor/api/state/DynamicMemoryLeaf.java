package io.javisor.api.state;

import io.javisor.memory.DynamicMemory;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import java.util.List;

/** What a machine may have while it runs, as it stood when the machine was saved. */
final class DynamicMemoryLeaf {
    private DynamicMemoryLeaf() {}

    static StateWriter save(DynamicMemory limits) {
        return new StateWriter()
                .put("minimum", limits.minimum())
                .put("maximum", limits.maximum())
                .put("buffer", limits.bufferPercent())
                .put("weight", limits.weight())
                .put("reach", limits.reach());
    }

    /** Reads it; it is possible for a machine with this boot memory. */
    static DynamicMemory read(StateReader in, long boot) {
        var limits = new DynamicMemory(
                in.getLong("minimum"),
                in.getLong("maximum"),
                in.getInt("buffer", 0, Integer.MAX_VALUE),
                in.getInt("weight", 0, Integer.MAX_VALUE),
                in.getLong("reach"));
        List<String> problems = limits.problems(boot);
        if (!problems.isEmpty()) {
            throw new StateException("spec.dynamicMemory." + String.join("; ", problems));
        }
        return limits;
    }
}
