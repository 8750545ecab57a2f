package io.javisor.kvm.partition;

import io.javisor.linux.MappingGroup;
import io.javisor.partition.MemoryBacking;

/** Guest memory that is one mapping of this process, with addresses behind it for what its machine's vCPUs share with the kernel. */
public sealed interface MappedBacking extends MemoryBacking permits MemfdBacking, PrivateFileBacking {
    /** Room for the pages of 85 vCPUs, 12 KiB each; those of more get addresses elsewhere. No memory is behind it until then. */
    int ANNEX = 1 << 20;

    /**
     * For one partition at a time, which is closed before the backing. So the JVM asks all of its threads once for a machine, when its
     * memory goes, and not once more for its vCPUs.
     */
    MappingGroup annex();
}
