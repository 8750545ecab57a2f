package io.javisor.kvm;

/**
 * A segment register with its hidden part: struct kvm_segment (Intel SDM volume 3, 3.4.5; AMD manual volume 2, 4.7).
 *
 * @param base first linear address
 * @param limit last offset, in bytes (with {@code g} set: as expanded, 0xFFFFFFFF for 4 GiB)
 * @param selector 16 bits
 * @param type 4 bits: code or data and its rights, or the kind of system segment
 * @param present in memory
 * @param dpl privilege level, 0 to 3
 * @param db 32-bit by default
 * @param s code or data, not a system segment
 * @param l 64-bit code
 * @param g limit in pages
 * @param avl for software
 * @param unusable loaded with a null selector
 */
public record SegmentRegister(
        long base,
        int limit,
        int selector,
        int type,
        boolean present,
        int dpl,
        boolean db,
        boolean s,
        boolean l,
        boolean g,
        boolean avl,
        boolean unusable) {

    /** A flat 64-bit code segment. */
    public static SegmentRegister code64(int selector) {
        return new SegmentRegister(0, -1, selector, 0xB, true, 0, false, true, true, true, false, false);
    }

    /** A flat 32-bit code segment. */
    public static SegmentRegister code32(int selector) {
        return new SegmentRegister(0, -1, selector, 0xB, true, 0, true, true, false, true, false, false);
    }

    /** A flat data segment. */
    public static SegmentRegister data(int selector) {
        return new SegmentRegister(0, -1, selector, 0x3, true, 0, true, true, false, true, false, false);
    }

    /** This register with another base and selector, as real mode has them: base = selector × 16. */
    public SegmentRegister realMode(int newSelector) {
        return new SegmentRegister(
                (long) newSelector << 4, limit, newSelector, type, present, dpl, db, s, l, g, avl, unusable);
    }

    /** Selector, base, limit and the descriptor's bits. */
    @Override
    public String toString() {
        return String.format(
                "%04x base %016x limit %08x type %x%s dpl %d%s%s%s%s%s",
                selector,
                base,
                limit,
                type,
                present ? " present" : "",
                dpl,
                db ? " db" : "",
                s ? " s" : "",
                l ? " l" : "",
                g ? " g" : "",
                unusable ? " unusable" : "");
    }
}
