package io.javisor.api.state;

import io.javisor.partition.MemoryRegion;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;

/**
 * What is said of a saved machine as a whole.
 *
 * @param savedAt when its vCPUs were held
 * @param uuid who it is, in its SMBIOS tables
 * @param regions its guest-physical memory at that time
 */
public record MachineLeaf(Instant savedAt, UUID uuid, List<Region> regions) {
    /** The leaf's name. */
    public static final String NAME = "machine";

    private static final int VERSION = 1;
    private static final int MAX_REGIONS = 32_764; // memory slots of a VM
    private static final long PAGE_MASK = 0xFFF;

    /**
     * A region of guest memory.
     *
     * @param gpa first guest-physical address
     * @param length bytes
     * @param node guest NUMA node
     * @param offset where in the node's memory it begins
     */
    public record Region(long gpa, long length, int node, long offset) {
        /** The region of a machine. */
        public static Region of(MemoryRegion region) {
            return new Region(region.gpa(), region.length(), region.node(), region.backingOffset());
        }
    }

    /** Copies the list. */
    public MachineLeaf {
        regions = List.copyOf(regions);
    }

    /** Writes it. */
    public Leaf leaf() {
        StateWriter out = new StateWriter()
                .put("seconds", savedAt.getEpochSecond())
                .put("nanos", savedAt.getNano())
                .put("uuid", uuid.toString())
                .put("regions", regions.size());
        for (int i = 0; i < regions.size(); i++) {
            Region r = regions.get(i);
            out.put("gpa" + i, r.gpa).put("length" + i, r.length);
            out.put("node" + i, r.node).put("offset" + i, r.offset);
        }
        return new Leaf(NAME, VERSION, out.toByteArray());
    }

    static MachineLeaf read(StateReader in) {
        in.requireVersion(VERSION);
        var regions = new ArrayList<Region>();
        for (int i = 0; i < in.getInt("regions", 1, MAX_REGIONS); i++) {
            regions.add(new Region(
                    in.getLong("gpa" + i),
                    in.getLong("length" + i),
                    in.getInt("node" + i, 0, Integer.MAX_VALUE),
                    in.getLong("offset" + i)));
        }
        try {
            return new MachineLeaf(
                    Instant.ofEpochSecond(in.getLong("seconds"), in.getInt("nanos", 0, 999_999_999)),
                    UUID.fromString(in.getString("uuid")),
                    regions);
        } catch (IllegalArgumentException | DateTimeException e) {
            throw new StateException("machine: " + e.getMessage());
        }
    }

    /**
     * The memory that a machine came to have after its boot.
     *
     * @param boot where the same machine has its boot memory here
     * @throws StateException if it had it elsewhere
     */
    public List<Region> beyond(List<MemoryRegion> boot) {
        List<Region> there = boot.stream().map(Region::of).toList();
        if (!regions.containsAll(there)) {
            throw moved(there);
        }
        return regions.stream().filter(r -> !there.contains(r)).toList();
    }

    /**
     * Throws unless a machine has its memory where this one had it.
     *
     * @param now its regions
     */
    public void requireRegions(List<MemoryRegion> now) {
        List<Region> there = now.stream().map(Region::of).toList();
        if (there.size() != regions.size() || !there.containsAll(regions)) {
            throw moved(there);
        }
    }

    private StateException moved(List<Region> there) {
        return new StateException("machine: memory lay at " + regions + " when it was saved, and lies at " + there
                + " here: it was saved by another version of Javisor");
    }

    /** Throws unless all regions lie in the memory of their nodes, and apart from each other. */
    void requireWithin(List<Long> nodes) {
        long free = 0;
        for (Region r :
                regions.stream().sorted(Comparator.comparingLong(Region::gpa)).toList()) {
            long size = r.node < nodes.size() ? nodes.get(r.node) : 0;
            if (r.gpa < free
                    || r.length <= 0
                    || r.offset < 0
                    || r.gpa + r.length < 0
                    || ((r.gpa | r.length | r.offset) & PAGE_MASK) != 0
                    || r.length > size
                    || r.offset > size - r.length) {
                throw new StateException("machine: impossible " + r);
            }
            free = r.gpa + r.length;
        }
    }
}
