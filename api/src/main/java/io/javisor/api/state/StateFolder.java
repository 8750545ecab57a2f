package io.javisor.api.state;

import io.javisor.api.MachineSpec;
import io.javisor.kvm.partition.SavedProcessors;
import io.javisor.linux.PageSize;
import io.javisor.numa.NumaNode;
import io.javisor.partition.MemoryBacking;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.topology.CpuTopology;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The folder of a saved machine, read and checked from end to end. Immutable; safe from any thread. */
public final class StateFolder {
    private final Path path;
    private final Map<String, Leaf> leaves;
    private final MachineSpec spec;
    private final MachineLeaf machine;
    private final SavedProcessors processors;
    private final List<MemoryImage> memory;

    private StateFolder(
            Path path,
            Map<String, Leaf> leaves,
            MachineSpec spec,
            MachineLeaf machine,
            SavedProcessors processors,
            List<MemoryImage> memory) {
        this.path = path;
        this.leaves = leaves;
        this.spec = spec;
        this.machine = machine;
        this.processors = processors;
        this.memory = memory;
    }

    /**
     * Reads and checks a folder.
     *
     * @throws StateException if it is not as it was written
     */
    public static StateFolder open(Path folder) {
        Path path = folder.toAbsolutePath().normalize();
        Map<String, Leaf> leaves = StateFile.read(path);
        MachineSpec spec = SpecLeaf.read(reader(leaves, SpecLeaf.NAME));
        MachineLeaf machine = MachineLeaf.read(reader(leaves, MachineLeaf.NAME));
        StateReader in = reader(leaves, ProcessorLeaf.NAME);
        SavedProcessors processors = ProcessorLeaf.read(in);
        if (processors.apicIds().size() != spec.vcpus()) {
            throw new StateException("the machine has " + spec.vcpus() + " vCPUs, and "
                    + processors.apicIds().size() + " were saved");
        }
        int nodes = spec.numa().nodes().size();
        if (leaves.containsKey(MemoryIndex.leafName(nodes))) {
            throw new StateException("memory of more than the machine's " + nodes + " nodes was saved");
        }
        var indexes = new ArrayList<MemoryIndex>();
        for (int i = 0; i < nodes; i++) {
            indexes.add(MemoryIndex.of(reader(leaves, MemoryIndex.leafName(i))));
        }
        machine.requireWithin(indexes.stream().map(MemoryIndex::size).toList());
        var memory = new ArrayList<MemoryImage>();
        for (int i = 0; i < nodes; i++) {
            memory.add(MemoryImage.check(path, i, indexes.get(i)));
        }
        return new StateFolder(path, leaves, spec, machine, processors, List.copyOf(memory));
    }

    private static StateReader reader(Map<String, Leaf> leaves, String name) {
        Leaf leaf = leaves.get(name);
        if (leaf == null) {
            throw new StateException("leaf \"" + name + "\" is missing");
        }
        return leaf.reader();
    }

    /** Where it is. */
    public Path path() {
        return path;
    }

    /** What the machine is. */
    public MachineSpec spec() {
        return spec;
    }

    /** When it was saved, and who it is. */
    public MachineLeaf machine() {
        return machine;
    }

    /** The processors that its guest knows. */
    public SavedProcessors processors() {
        return processors;
    }

    /** Where each vCPU sits. */
    public CpuTopology topology() {
        return ProcessorLeaf.topology(reader(leaves, ProcessorLeaf.NAME), processors, spec.numa());
    }

    /** What a device wrote. */
    public StateReader leaf(String name) {
        return reader(leaves, name);
    }

    /** Whether a device wrote something. */
    public boolean has(String name) {
        return leaves.containsKey(name);
    }

    /** Bytes of memory that are not zero, in whole blocks of 2 MiB. */
    public long filledBytes() {
        return memory.stream().mapToLong(MemoryImage::filled).sum();
    }

    /** Bytes of a node's memory. */
    public long memoryBytes(int node) {
        return memory.get(node).size();
    }

    /** A node's memory for one machine. */
    public MemoryBacking openMemory(String name, int node) {
        NumaNode described = spec.numa().nodes().get(node);
        for (PageSize size : PageSize.values()) {
            if (size.bytes() == described.hugePageSize()) {
                return memory.get(node).open(name, size);
            }
        }
        return memory.get(node).open(name, PageSize.KIB_4);
    }
}
