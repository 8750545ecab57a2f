package io.javisor.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/**
 * Where the host takes memory from: a mode and the NUMA nodes it speaks of (linux/mempolicy.h). Applies to a range of memory
 * or to a thread.
 *
 * @param mode how strictly
 * @param nodes bit i stands for host node i; empty exactly for {@link Mode#DEFAULT} and {@link Mode#LOCAL}
 */
public record MemoryPolicy(Mode mode, BitSet nodes) {
    /** The host's own policy. */
    public static final MemoryPolicy DEFAULT = new MemoryPolicy(Mode.DEFAULT, new BitSet());

    // The kernel reads maxnode - 1 bits.
    private static final int MASK_BITS = 1024;
    private static final int MASK_BYTES = MASK_BITS / 8;
    private static final int OF_ADDRESS = 2;
    private static final int STRICT = 1;
    private static final int MOVE = 2;

    /** How strictly memory comes from the nodes. */
    public enum Mode {
        /** As the policy around it says. */
        DEFAULT(0),
        /** From the first of the nodes if it has room, else from any. */
        PREFERRED(1),
        /** From these nodes only. */
        BIND(2),
        /** From these nodes in turn. */
        INTERLEAVE(3),
        /** From the node of the thread that touches first. */
        LOCAL(4),
        /** From these nodes if they have room, else from any (Linux 5.15). */
        PREFERRED_MANY(5);

        private final int number;

        Mode(int number) {
            this.number = number;
        }
    }

    /** Copies the nodes and checks that they fit the mode. */
    public MemoryPolicy {
        nodes = (BitSet) nodes.clone();
        if (nodes.isEmpty() != (mode == Mode.DEFAULT || mode == Mode.LOCAL)) {
            throw new IllegalArgumentException("memory policy " + mode + " with nodes " + nodes);
        }
        if (nodes.length() > MASK_BITS) {
            throw new IllegalArgumentException("node number from " + MASK_BITS + " on: " + nodes);
        }
    }

    /** The nodes; a copy. */
    @Override
    public BitSet nodes() {
        return (BitSet) nodes.clone();
    }

    /**
     * Gives a range of memory this policy (mbind(2)).
     *
     * @param range native memory that begins and ends on a page
     * @param move whether pages that are elsewhere are moved now; what cannot be moved is an error
     * @throws LinuxException EINVAL for a node that the host does not have, EIO if pages could not be moved
     */
    public void apply(MemorySegment range, boolean move) {
        try (Arena arena = Arena.ofConfined()) {
            int result = NumaCalls.mbind(
                    CallState.current(),
                    range,
                    range.byteSize(),
                    mode.number,
                    mask(arena),
                    MASK_BITS + 1,
                    move ? MOVE | STRICT : 0);
            if (result < 0) {
                throw new LinuxException(
                        "mbind", range.byteSize() + " bytes, " + this + (move ? ", move" : ""), -result);
            }
        }
    }

    /** Gives the current thread this policy (set_mempolicy(2)). */
    public void applyToThread() {
        HostThread.current();
        try (Arena arena = Arena.ofConfined()) {
            int result = NumaCalls.setMempolicy(CallState.current(), mode.number, mask(arena), MASK_BITS + 1);
            if (result < 0) {
                throw new LinuxException("set_mempolicy", toString(), -result);
            }
        }
    }

    /** The current thread's policy (get_mempolicy(2)). */
    public static MemoryPolicy ofThread() {
        HostThread.current();
        return get(MemorySegment.NULL, 0);
    }

    /** The policy of the memory at the segment's first byte (get_mempolicy(2)). */
    public static MemoryPolicy of(MemorySegment memory) {
        return get(memory, OF_ADDRESS);
    }

    private static MemoryPolicy get(MemorySegment address, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment number = arena.allocate(JAVA_INT);
            MemorySegment mask = arena.allocate(MASK_BYTES, 8);
            int result = NumaCalls.getMempolicy(CallState.current(), number, mask, MASK_BITS + 1, address, flags);
            if (result < 0) {
                throw new LinuxException("get_mempolicy", "flags " + flags, -result);
            }
            // The upper bits are mode flags.
            int mode = number.get(JAVA_INT, 0) & 0xFF;
            for (Mode m : Mode.values()) {
                if (m.number == mode) {
                    return new MemoryPolicy(m, BitSet.valueOf(mask.toArray(JAVA_BYTE)));
                }
            }
            throw new LinuxException("get_mempolicy", "mode " + mode, Errno.EOPNOTSUPP);
        }
    }

    private MemorySegment mask(Arena arena) {
        MemorySegment mask = arena.allocate(MASK_BYTES, 8);
        long[] words = nodes.toLongArray();
        MemorySegment.copy(words, 0, mask, JAVA_LONG, 0, words.length);
        return mask;
    }
}
