package io.javisor.kvm.partition;

import io.javisor.kvm.CpuidEntry;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The processors of a saved machine, as its guest knows them: what a host must be able to give again.
 *
 * @param apicIds the vCPUs' local APIC IDs, by their numbers
 * @param cpuid each vCPU's CPUID leaves, all of them
 * @param tscKhz frequency of the TSC in kHz, or 0 where KVM does not tell
 * @param hyperV whether the guest has Hyper-V's identity
 */
public record SavedProcessors(List<Integer> apicIds, List<List<CpuidEntry>> cpuid, int tscKhz, boolean hyperV) {
    private static final int ENTRY = 7 * Integer.BYTES;

    /** KVM_MAX_CPUID_ENTRIES (arch/x86/include/asm/kvm_host.h). */
    private static final int MAX_LEAVES = 256;

    private static final int MAX_VCPUS = 4096;

    /** Copies the lists. */
    public SavedProcessors {
        apicIds = List.copyOf(apicIds);
        cpuid = cpuid.stream().map(List::copyOf).toList();
    }

    /** What a partition with these processors is made of. */
    public PartitionConfig partition(String name) {
        return new PartitionConfig(name, apicIds, CpuidPolicy.exactly(cpuid), hyperV, options());
    }

    /** What the leaves tell of the options; machines with nested virtualization are not saved. */
    private Set<CpuOption> options() {
        return PerformanceCounters.areIn(cpuid.getFirst()) ? EnumSet.of(CpuOption.PMU) : Set.of();
    }

    /** Writes them. */
    public void save(StateWriter out) {
        out.put("vcpus", apicIds.size()).put("tscKhz", tscKhz).put("hyperV", hyperV);
        for (int i = 0; i < apicIds.size(); i++) {
            List<CpuidEntry> leaves = cpuid.get(i);
            ByteBuffer bytes = ByteBuffer.allocate(leaves.size() * ENTRY);
            for (CpuidEntry e : leaves) {
                bytes.putInt(e.function()).putInt(e.index()).putInt(e.flags());
                bytes.putInt(e.eax()).putInt(e.ebx()).putInt(e.ecx()).putInt(e.edx());
            }
            out.put("apicId" + i, apicIds.get(i)).put("cpuid" + i, bytes.array());
        }
    }

    /**
     * Reads them.
     *
     * @throws StateException if they make no sense
     */
    public static SavedProcessors of(StateReader in) {
        int count = in.getInt("vcpus", 1, MAX_VCPUS);
        var apicIds = new ArrayList<Integer>();
        var cpuid = new ArrayList<List<CpuidEntry>>();
        for (int i = 0; i < count; i++) {
            apicIds.add(in.getInt("apicId" + i, 0, Integer.MAX_VALUE));
            byte[] bytes = in.getBytes("cpuid" + i);
            if (bytes.length % ENTRY != 0 || bytes.length > MAX_LEAVES * ENTRY) {
                throw new StateException(
                        "processors.cpuid" + i + ": " + bytes.length + " bytes are no list of CPUID leaves");
            }
            var leaves = new ArrayList<CpuidEntry>();
            for (IntBuffer n = ByteBuffer.wrap(bytes).asIntBuffer(); n.hasRemaining(); ) {
                leaves.add(new CpuidEntry(n.get(), n.get(), n.get(), n.get(), n.get(), n.get(), n.get()));
            }
            cpuid.add(leaves);
        }
        if (new HashSet<>(apicIds).size() < count || apicIds.getFirst() != 0) {
            throw new StateException("processors: local APIC IDs are given twice, or the first vCPU's is not 0");
        }
        return new SavedProcessors(apicIds, cpuid, in.getInt("tscKhz", 0, Integer.MAX_VALUE), in.getBoolean("hyperV"));
    }
}
