package io.javisor.numa;

import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;

/**
 * An immutable set of small numbers: host CPUs, vCPUs, or nodes. Reads and writes the kernel's list format
 * ({@code 0-3,8}), which is what sysfs, cpusets and {@code isolcpus=} use.
 */
public final class CpuSet {
    /** The set without members. */
    public static final CpuSet EMPTY = new CpuSet(new BitSet());

    /** Members are below this: sixteen times NR_CPUS of the largest distribution kernels (8,192). */
    public static final int LIMIT = 1 << 17;

    private final BitSet bits;

    private CpuSet(BitSet bits) {
        this.bits = bits;
    }

    /** The set of the given members, each 0 to {@link #LIMIT} − 1; repeats are harmless. */
    public static CpuSet of(int... members) {
        var bits = new BitSet();
        for (int m : members) {
            bits.set(checked(m));
        }
        return new CpuSet(bits);
    }

    /** The set of the given members; repeats are harmless. */
    public static CpuSet of(Iterable<Integer> members) {
        var bits = new BitSet();
        for (int m : members) {
            bits.set(checked(m));
        }
        return new CpuSet(bits);
    }

    /** The members from {@code first} up to, not including, {@code end}. */
    public static CpuSet range(int first, int end) {
        if (first < 0 || end < first || end > LIMIT) {
            throw new IllegalArgumentException("not a range of numbers below " + LIMIT + ": " + first + " to " + end);
        }
        var bits = new BitSet(end);
        bits.set(first, end);
        return new CpuSet(bits);
    }

    /**
     * Reads the kernel's list format: numbers and ranges separated by commas ({@code 0-3,8,10-11}); blank is the empty set.
     *
     * @throws IllegalArgumentException if the text is anything else
     */
    public static CpuSet parse(String list) {
        var bits = new BitSet();
        String text = list.strip();
        if (!text.isEmpty()) {
            for (String part : text.split(",", -1)) {
                int dash = part.indexOf('-');
                int first = number(dash < 0 ? part : part.substring(0, dash), list);
                int last = dash < 0 ? first : number(part.substring(dash + 1), list);
                if (last < first) {
                    throw new IllegalArgumentException("range runs backwards in CPU list \"" + text + "\": " + part);
                }
                bits.set(first, last + 1);
            }
        }
        return new CpuSet(bits);
    }

    private static int number(String digits, String list) {
        String d = digits.strip();
        if (d.isEmpty() || d.length() > 6 || !d.chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw new IllegalArgumentException("not a CPU list such as 0-3,8: \"" + list.strip() + "\"");
        }
        return checked(Integer.parseInt(d));
    }

    private static int checked(int member) {
        if (member < 0 || member >= LIMIT) {
            throw new IllegalArgumentException("number out of range 0 to " + (LIMIT - 1) + ": " + member);
        }
        return member;
    }

    /** Whether the set has no members. */
    public boolean isEmpty() {
        return bits.isEmpty();
    }

    /** How many members there are. */
    public int size() {
        return bits.cardinality();
    }

    /** Whether the number is a member. */
    public boolean contains(int member) {
        return member >= 0 && bits.get(member);
    }

    /** Whether every member of the other set is a member of this one. */
    public boolean containsAll(CpuSet other) {
        return other.minus(this).isEmpty();
    }

    /** The smallest member, or −1 if the set is empty. */
    public int first() {
        return bits.nextSetBit(0);
    }

    /** The largest member, or −1 if the set is empty. */
    public int last() {
        return bits.length() - 1;
    }

    /** Members of both sets. */
    public CpuSet and(CpuSet other) {
        BitSet b = (BitSet) bits.clone();
        b.and(other.bits);
        return new CpuSet(b);
    }

    /** Members of either set. */
    public CpuSet or(CpuSet other) {
        BitSet b = (BitSet) bits.clone();
        b.or(other.bits);
        return new CpuSet(b);
    }

    /** Members of this set that the other lacks. */
    public CpuSet minus(CpuSet other) {
        BitSet b = (BitSet) bits.clone();
        b.andNot(other.bits);
        return new CpuSet(b);
    }

    /** The members, ascending. */
    public IntStream stream() {
        return bits.stream();
    }

    /** The members, ascending. */
    public List<Integer> toList() {
        return bits.stream().boxed().toList();
    }

    /** The members as a new bit set. */
    public BitSet toBitSet() {
        return (BitSet) bits.clone();
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof CpuSet other && bits.equals(other.bits);
    }

    @Override
    public int hashCode() {
        return bits.hashCode();
    }

    /** The kernel's list format: {@code 0-3,8}; empty text for the empty set. */
    @Override
    public String toString() {
        var text = new StringBuilder();
        for (int first = bits.nextSetBit(0); first >= 0; ) {
            int end = bits.nextClearBit(first);
            text.append(text.isEmpty() ? "" : ",").append(first);
            if (end - 1 > first) {
                text.append('-').append(end - 1);
            }
            first = bits.nextSetBit(end);
        }
        return text.toString();
    }
}
