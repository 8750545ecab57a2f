package io.javisor.partition.topology;

import io.javisor.partition.topology.AddressSpacePlan.Kind;
import io.javisor.partition.topology.AddressSpacePlan.Range;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Makes an {@link AddressSpacePlan}. Values are checked when they are given (IllegalArgumentException), the whole when it is
 * built ({@link AddressSpaceException}). Pure; one thread at a time.
 */
public final class AddressSpacePlanner {
    private static final long GRANULE = AddressSpacePlan.GRANULE;

    /** The low VMBus window's default place, below the IOAPIC at 0xFEC00000: as on Hyper-V, from 0xF8000000. */
    private static final long DEFAULT_MMIO = 0xF800_0000L;

    private static final long DEFAULT_MMIO_LENGTH = 64L << 20;

    private record Node(long boot, long growth) {}

    private final List<Node> nodes = new ArrayList<>();
    private final List<Range> ranges = new ArrayList<>();
    private long growthAlignment = 128L << 20;
    private long nodeAlignment = GRANULE;
    private long mmioLength = DEFAULT_MMIO_LENGTH;
    private long highMmioLength;
    private int addressBits = 40;
    private long cursor;

    AddressSpacePlanner() {}

    /** Adds the next node: boot memory in bytes, a multiple of 2 MiB, or 0 for a node that has only processors. */
    public AddressSpacePlanner node(long bootMemory) {
        return node(bootMemory, 0);
    }

    /**
     * Adds the next node.
     *
     * @param bootMemory bytes, a multiple of 2 MiB; 0 for a node that has only processors
     * @param growth bytes by which it may grow by hot-add, a multiple of the growth alignment; needs boot memory
     */
    public AddressSpacePlanner node(long bootMemory, long growth) {
        int n = nodes.size();
        if (bootMemory < 0 || bootMemory % GRANULE != 0) {
            throw new IllegalArgumentException(
                    "node " + n + ": " + bootMemory + " bytes of memory: must be a multiple of 2 MiB");
        }
        if (growth < 0) {
            throw new IllegalArgumentException("node " + n + ": growth of " + growth + " bytes");
        }
        if (growth > 0 && bootMemory == 0) {
            throw new IllegalArgumentException("node " + n
                    + ": a node without boot memory can't grow, because Linux would not know whose the memory is");
        }
        nodes.add(new Node(bootMemory, growth));
        return this;
    }

    /**
     * How growth windows are aligned, in bytes: the guest's memory block size. A power of two from 128 MiB (the default) to
     * 2 GiB.
     */
    public AddressSpacePlanner growthAlignment(long bytes) {
        if (Long.bitCount(bytes) != 1 || bytes < 128L << 20 || bytes > 2L << 30) {
            throw new IllegalArgumentException(
                    "growth alignment of " + bytes + " bytes: must be a power of two, 128 MiB to 2 GiB");
        }
        growthAlignment = bytes;
        return this;
    }

    /**
     * How each node's memory is aligned, in bytes, as address and in its backing alike, so that host pages of that size can
     * back it: 2 MiB (the default) or 1 GiB.
     */
    public AddressSpacePlanner nodeAlignment(long bytes) {
        if (bytes != GRANULE && bytes != 1L << 30) {
            throw new IllegalArgumentException("node alignment of " + bytes + " bytes: must be 2 MiB or 1 GiB");
        }
        nodeAlignment = bytes;
        return this;
    }

    /** How much device memory below 4 GiB the VMBus gets, in bytes: a multiple of 1 MiB, 0 to 64 MiB (the default). */
    public AddressSpacePlanner vmbusMmio(long bytes) {
        if (bytes < 0 || bytes > DEFAULT_MMIO_LENGTH || bytes % (1 << 20) != 0) {
            throw new IllegalArgumentException("VMBus MMIO of " + bytes + " bytes: must be 0 to 64 MiB, whole MiB");
        }
        mmioLength = bytes;
        return this;
    }

    /** How much device memory above all memory the VMBus gets, in bytes: 0 (the default) or a multiple of 2 MiB. */
    public AddressSpacePlanner highVmbusMmio(long bytes) {
        if (bytes < 0 || bytes % GRANULE != 0) {
            throw new IllegalArgumentException("high VMBus MMIO of " + bytes + " bytes: must be a multiple of 2 MiB");
        }
        highMmioLength = bytes;
        return this;
    }

    /** Width of guest-physical addresses, 33 to 52 bits: what CPUID 0x80000008 tells the guest. 40 unless told. */
    public AddressSpacePlanner addressBits(int bits) {
        if (bits < 33 || bits > 52) {
            throw new IllegalArgumentException("guest-physical addresses of " + bits + " bits: must be 33 to 52");
        }
        addressBits = bits;
        return this;
    }

    /**
     * Makes the plan.
     *
     * @throws AddressSpaceException if the memory does not fit the address width
     * @throws IllegalArgumentException if no node has memory, or growth is not aligned
     */
    public AddressSpacePlan build() {
        ranges.clear();
        cursor = 0;
        addHole();
        boolean first = true;
        for (int n = 0; n < nodes.size(); n++) {
            Node node = nodes.get(n);
            if (node.growth % growthAlignment != 0) {
                throw new IllegalArgumentException("node " + n + ": growth of " + node.growth
                        + " bytes is not a multiple of the alignment of " + growthAlignment);
            }
            if (node.boot == 0) {
                continue;
            }
            long windowOffset = alignUp(node.boot, nodeAlignment);
            if (first) {
                placeFirst(n, node, windowOffset);
                first = false;
            } else {
                cursor = alignUp(cursor, nodeAlignment);
                if (node.growth > 0) {
                    placeWindow(n, node.growth, windowOffset, GRANULE);
                }
                placeBoot(n, node.boot, 0);
            }
        }
        if (first) {
            throw new IllegalArgumentException("no node has boot memory");
        }
        if (highMmioLength > 0) {
            cursor = Math.max(alignUp(cursor, 1L << 30), AddressSpacePlan.HOLE_END);
            add(Kind.VMBUS_MMIO, highMmioLength, AddressSpacePlan.NO_NODE, 0);
        }
        ranges.sort(Comparator.comparingLong(Range::gpa));
        return new AddressSpacePlan(ranges, addressBits);
    }

    // The machine boots from address 0, so the first node can't begin with its window: [head][window][tail].
    private void placeFirst(int n, Node node, long windowOffset) {
        if (node.growth == 0) {
            placeBoot(n, node.boot, 0);
            return;
        }
        // The tail is as small as is sensible: memory below 4 GiB is what boot loaders and old devices want.
        long tail = Math.max(GRANULE, Math.min(alignDown(node.boot / 4, GRANULE), growthAlignment));
        if (nodeAlignment > GRANULE) {
            tail = node.boot - alignDown(node.boot - tail, nodeAlignment);
        }
        long head = Math.min(node.boot - tail, AddressSpacePlan.HOLE_START);
        if (head == 0) {
            throw new IllegalArgumentException("node " + n + ": " + node.boot
                    + " bytes of boot memory are too few to place a growth window: give it at least two pages of "
                    + nodeAlignment + " bytes");
        }
        placeBoot(n, head, 0);
        // Window and tail stay together, on one side of the hole: the guest knows the window by its tail.
        placeWindow(n, node.growth, windowOffset, node.boot - head);
        placeBoot(n, node.boot - head, head);
    }

    // At least `after` bytes of the node's boot memory will follow on the same side of the hole.
    private void placeWindow(int n, long length, long backingOffset, long after) {
        long alignment = Math.max(growthAlignment, nodeAlignment);
        cursor = alignUp(cursor, alignment);
        long end = alignUp(cursor + length, nodeAlignment);
        if (cursor < AddressSpacePlan.HOLE_END && (end < cursor || end > AddressSpacePlan.HOLE_START - after)) {
            cursor = AddressSpacePlan.HOLE_END;
        }
        add(Kind.GROWTH_WINDOW, length, n, backingOffset);
        cursor = alignUp(cursor, nodeAlignment);
    }

    private void placeBoot(int n, long length, long backingOffset) {
        long left = length;
        long offset = backingOffset;
        while (left > 0) {
            if (cursor >= AddressSpacePlan.HOLE_START && cursor < AddressSpacePlan.HOLE_END) {
                cursor = AddressSpacePlan.HOLE_END;
            }
            long piece =
                    cursor < AddressSpacePlan.HOLE_START ? Math.min(left, AddressSpacePlan.HOLE_START - cursor) : left;
            add(Kind.BOOT_MEMORY, piece, n, offset);
            left -= piece;
            offset += piece;
        }
    }

    private void add(Kind kind, long length, int node, long backingOffset) {
        long limit = 1L << addressBits;
        if (length > limit - cursor) {
            throw new AddressSpaceException(
                    (node == AddressSpacePlan.NO_NODE ? "VMBus MMIO" : "node " + node + "'s " + name(kind)) + " of "
                            + length
                            + " bytes at 0x" + Long.toHexString(cursor) + " does not fit guest-physical addresses of "
                            + addressBits + " bits",
                    "give the nodes less memory or smaller growth windows; this host's processor or KVM sets the width");
        }
        ranges.add(new Range(kind, cursor, length, node, backingOffset));
        cursor += length;
    }

    private static String name(Kind kind) {
        return kind == Kind.GROWTH_WINDOW ? "growth window" : "boot memory";
    }

    private void addHole() {
        int none = AddressSpacePlan.NO_NODE;
        if (mmioLength == 0) {
            ranges.add(new Range(Kind.DEVICE_HOLE, AddressSpacePlan.HOLE_START, 1L << 30, none, 0));
            return;
        }
        long end = DEFAULT_MMIO + mmioLength;
        ranges.add(new Range(
                Kind.DEVICE_HOLE, AddressSpacePlan.HOLE_START, DEFAULT_MMIO - AddressSpacePlan.HOLE_START, none, 0));
        ranges.add(new Range(Kind.VMBUS_MMIO, DEFAULT_MMIO, mmioLength, none, 0));
        ranges.add(new Range(Kind.DEVICE_HOLE, end, AddressSpacePlan.HOLE_END - end, none, 0));
    }

    // Overflow saturates: what does not fit is refused when it is added.
    private static long alignUp(long value, long alignment) {
        long up = value + alignment - 1;
        return up < 0 ? Long.MAX_VALUE & -alignment : up & -alignment;
    }

    private static long alignDown(long value, long alignment) {
        return value & -alignment;
    }
}
