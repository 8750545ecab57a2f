package io.javisor.partition.topology;

import java.util.ArrayList;
import java.util.List;

/**
 * Where everything lies in a machine's guest-physical address space. Made by {@link #builder()} from the nodes' memory; the
 * one plan that memory slots, the e820 map, the SRAT, hot-add and devices share, so that they can't collide.
 *
 * <pre>
 *   0            node 0's boot memory, then further nodes', as far as they fit below 3 GiB
 *   3 GiB        device hole: VMBus MMIO window, IOAPIC, local APIC, KVM's own pages below 4 GiB
 *   4 GiB        the rest of the nodes' memory, in order
 *   above all    the high VMBus MMIO window, if asked for
 * </pre>
 *
 * <p>Memory can be hot-added to a node only where the guest already knows the node: stock Linux looks an address up in the
 * SRAT entries that hold boot memory, up to the last page of boot memory (x86 {@code memory_add_physaddr_to_nid}). So a
 * node's growth window lies directly below boot memory of the same node, aligned at both ends. The first node's boot memory,
 * which must begin at address 0, is divided: most of it, its window, and the rest.
 *
 * @param ranges all of them, by address, without overlap
 * @param addressBits width of guest-physical addresses
 */
public record AddressSpacePlan(List<Range> ranges, int addressBits) {
    /** Where the hole for devices begins: 3 GiB. */
    public static final long HOLE_START = 3L << 30;

    /** Where the hole for devices ends: 4 GiB. */
    public static final long HOLE_END = 4L << 30;

    /** Memory comes in multiples of this many bytes: 2 MiB, the size of a huge page. */
    public static final long GRANULE = 2L << 20;

    /** The node of ranges that belong to none. */
    public static final int NO_NODE = -1;

    /** What a range is for. */
    public enum Kind {
        /** Memory that is there at power-on. */
        BOOT_MEMORY,
        /** Addresses at which memory may be hot-added while the machine runs. */
        GROWTH_WINDOW,
        /** Device memory that the VMBus may hand to synthetic devices. */
        VMBUS_MMIO,
        /** The rest of the hole below 4 GiB: interrupt controllers and KVM's own pages. */
        DEVICE_HOLE
    }

    /**
     * One piece of the address space.
     *
     * @param kind what it is for
     * @param gpa first guest-physical address, in bytes
     * @param length bytes
     * @param node the guest NUMA node, or {@link #NO_NODE}
     * @param backingOffset for boot memory and growth windows, where the range begins in its node's backing, in bytes; else 0
     */
    public record Range(Kind kind, long gpa, long length, int node, long backingOffset) {
        /** The first address after it. */
        public long end() {
            return gpa + length;
        }
    }

    /**
     * Addresses that belong to one node: an entry of the SRAT. It spans boot memory and the growth window next to it.
     *
     * @param node the guest NUMA node
     * @param gpa first guest-physical address, in bytes
     * @param length bytes
     */
    public record Affinity(int node, long gpa, long length) {
        /** The first address after it. */
        public long end() {
            return gpa + length;
        }
    }

    /** Copies the list. */
    public AddressSpacePlan {
        ranges = List.copyOf(ranges);
    }

    /** A plan to be made. */
    public static AddressSpacePlanner builder() {
        return new AddressSpacePlanner();
    }

    /** A machine of one node that does not grow, with 52 address bits. */
    public static AddressSpacePlan single(long bootMemory) {
        return builder().node(bootMemory).addressBits(52).build();
    }

    /** The ranges of one kind, by address. */
    public List<Range> ranges(Kind kind) {
        return ranges.stream().filter(r -> r.kind == kind).toList();
    }

    /** Boot memory, by address. */
    public List<Range> bootMemory() {
        return ranges(Kind.BOOT_MEMORY);
    }

    /** Growth windows, by address. */
    public List<Range> growthWindows() {
        return ranges(Kind.GROWTH_WINDOW);
    }

    /** Boot memory of all nodes, in bytes. */
    public long bootBytes() {
        return bootMemory().stream().mapToLong(Range::length).sum();
    }

    /** Boot memory of one node, in bytes. */
    public long bootBytes(int node) {
        return bootMemory().stream()
                .filter(r -> r.node == node)
                .mapToLong(Range::length)
                .sum();
    }

    /** How large the backing of one node must be to hold its boot memory and its growth window, in bytes; 0 if it has none. */
    public long backingBytes(int node) {
        return ranges.stream()
                .filter(r -> r.node == node)
                .mapToLong(r -> r.backingOffset + r.length)
                .max()
                .orElse(0);
    }

    /** The first address after the last boot memory: the guest's max_pfn, in bytes. */
    public long endOfBootMemory() {
        return bootMemory().getLast().end();
    }

    /** The first address after the last boot memory below the hole. */
    public long endOfLowMemory() {
        return bootMemory().stream()
                .filter(r -> r.end() <= HOLE_START)
                .mapToLong(Range::end)
                .max()
                .orElse(0);
    }

    /** Which addresses belong to which node, by address; adjacent ranges of a node are one entry. */
    public List<Affinity> affinities() {
        var list = new ArrayList<Affinity>();
        for (Range r : ranges) {
            if (r.node == NO_NODE) {
                continue;
            }
            Affinity last = list.isEmpty() ? null : list.getLast();
            // A window may begin some way above the memory before it; the gap is the node's as well, if on one side of
            // the hole.
            if (last != null
                    && last.node == r.node
                    && (last.end() == r.gpa || r.gpa < HOLE_START || last.gpa >= HOLE_END)) {
                list.removeLast();
                list.add(new Affinity(r.node, last.gpa, r.end() - last.gpa));
            } else {
                list.add(new Affinity(r.node, r.gpa, r.length));
            }
        }
        return list;
    }
}
