package io.javisor.api.state;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.javisor.api.MachineSpec;
import io.javisor.kvm.partition.SavedProcessors;
import io.javisor.partition.state.StateException;
import java.nio.ByteBuffer;
import java.util.Map;
import org.junit.jupiter.api.Tag;

/**
 * A {@code machine.state} whose digest is right and whose content is not: what comes out is a machine that makes sense, or an
 * error. Run it by itself: one target fuzzes per JVM.
 */
@Tag("fuzz")
class SavedStateFuzzTest {
    @FuzzTest(maxDuration = "5m")
    void leaves(byte[] data) {
        try {
            Map<String, Leaf> leaves = StateFile.leaves("fuzz", ByteBuffer.wrap(data));
            Leaf spec = leaves.get(SpecLeaf.NAME);
            if (spec != null) {
                MachineSpec read = SpecLeaf.read(spec.reader());
                if (read.vcpus() < 1 || read.memory() < 1 || read.name().isBlank()) {
                    throw new AssertionError(read);
                }
                SpecLeaf.read(SpecLeaf.of(read).reader());
            }
            Leaf processors = leaves.get(ProcessorLeaf.NAME);
            if (processors != null) {
                SavedProcessors read = ProcessorLeaf.read(processors.reader());
                if (read.cpuid().size() != read.apicIds().size()) {
                    throw new AssertionError(read);
                }
            }
            Leaf machine = leaves.get(MachineLeaf.NAME);
            if (machine != null) {
                MachineLeaf.read(machine.reader());
            }
            Leaf memory = leaves.get(MemoryIndex.leafName(0));
            if (memory != null) {
                MemoryIndex index = MemoryIndex.of(memory.reader());
                for (MemoryIndex.Block block : index.blocks()) {
                    if (block.offset() + MemoryIndex.BLOCK > index.size()
                            || block.position() + block.stored() > index.fileSize()) {
                        throw new AssertionError(index);
                    }
                }
            }
        } catch (StateException e) {
            // refused
        }
    }
}
