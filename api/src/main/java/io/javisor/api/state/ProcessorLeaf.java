package io.javisor.api.state;

import io.javisor.kvm.partition.SavedProcessors;
import io.javisor.numa.NumaTopology;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.partition.topology.CpuTopology;
import java.util.ArrayList;

/** A machine's processors as a leaf: what its guest knows of them, and how their APIC IDs are divided. */
public final class ProcessorLeaf {
    /** The leaf's name. */
    public static final String NAME = "processors";

    private static final int VERSION = 1;

    private ProcessorLeaf() {}

    /** Writes them. */
    public static Leaf of(SavedProcessors processors, CpuTopology topology) {
        StateWriter out = new StateWriter();
        processors.save(out);
        out.put("coreShift", topology.coreShift())
                .put("cacheShift", topology.cacheShift())
                .put("dieShift", topology.dieShift())
                .put("socketShift", topology.socketShift());
        return new Leaf(NAME, VERSION, out.toByteArray());
    }

    static SavedProcessors read(StateReader in) {
        in.requireVersion(VERSION);
        return SavedProcessors.of(in);
    }

    static CpuTopology topology(StateReader in, SavedProcessors processors, NumaTopology numa) {
        var vcpus = new ArrayList<CpuTopology.Vcpu>();
        for (int i = 0; i < processors.apicIds().size(); i++) {
            vcpus.add(new CpuTopology.Vcpu(processors.apicIds().get(i), numa.nodeOf(i)));
        }
        try {
            return new CpuTopology(
                    vcpus,
                    in.getInt("coreShift", 0, 30),
                    in.getInt("cacheShift", 0, 30),
                    in.getInt("dieShift", 0, 30),
                    in.getInt("socketShift", 0, 30));
        } catch (IllegalArgumentException e) {
            throw new StateException("processors: " + e.getMessage());
        }
    }
}
