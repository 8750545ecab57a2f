package io.javisor.kvm;

import java.util.List;

/**
 * What stops a guest with {@link Exit.Debug}: KVM_SET_GUEST_DEBUG. Hardware breakpoints take the processor's four debug
 * registers away from the guest.
 *
 * @param singleStep after every instruction
 * @param softwareBreakpoints at INT3 instructions, which the debugger has put into memory
 * @param blockInterrupts no interrupts while stepping (KVM_CAP_SET_GUEST_DEBUG2)
 * @param hardware up to four
 */
public record GuestDebug(
        boolean singleStep, boolean softwareBreakpoints, boolean blockInterrupts, List<Breakpoint> hardware) {
    /** Nothing stops the guest. */
    public static final GuestDebug OFF = new GuestDebug(false, false, false, List.of());

    // KVM_GUESTDBG_… of linux/kvm.h and asm/kvm.h
    private static final int ENABLE = 1;
    private static final int SINGLE_STEP = 2;
    private static final int USE_SOFTWARE = 0x10000;
    private static final int USE_HARDWARE = 0x20000;
    private static final int BLOCK_IRQ = 0x100000;

    /** Checks the number of hardware breakpoints. */
    public GuestDebug {
        hardware = List.copyOf(hardware);
        if (hardware.size() > 4) {
            throw new IllegalArgumentException(hardware.size() + " hardware breakpoints, the processor has 4");
        }
    }

    /** What a hardware breakpoint waits for (DR7.RW). */
    public enum Kind {
        /** Execution; the length is 1. */
        EXECUTE(0),
        /** Writes. */
        WRITE(1),
        /** Reads and writes. */
        ACCESS(3);

        private final int bits;

        Kind(int bits) {
            this.bits = bits;
        }
    }

    /**
     * A hardware breakpoint.
     *
     * @param address linear address, aligned to its length
     * @param kind what it waits for
     * @param length bytes: 1, 2, 4 or 8
     */
    public record Breakpoint(long address, Kind kind, int length) {
        /** Checks length and alignment. */
        public Breakpoint {
            boolean power = length == 1 || length == 2 || length == 4 || length == 8;
            if (!power || address % length != 0 || (kind == Kind.EXECUTE && length != 1)) {
                throw new IllegalArgumentException(kind + " breakpoint of " + length + " bytes at 0x"
                        + Long.toHexString(address) + ": 1, 2, 4 or 8 bytes, aligned; 1 for execution");
            }
        }

        private long lengthBits() {
            return switch (length) {
                case 1 -> 0;
                case 2 -> 1;
                case 8 -> 2;
                default -> 3;
            };
        }
    }

    int control() {
        if (!singleStep && !softwareBreakpoints && hardware.isEmpty()) {
            return 0;
        }
        return ENABLE
                | (singleStep ? SINGLE_STEP : 0)
                | (softwareBreakpoints ? USE_SOFTWARE : 0)
                | (blockInterrupts ? BLOCK_IRQ : 0)
                | (hardware.isEmpty() ? 0 : USE_HARDWARE);
    }

    /** DR7: bit 10 is always set; per breakpoint the global enable bit, kind and length (Intel SDM volume 3, 17.2.4). */
    long dr7() {
        long dr7 = 1 << 10;
        for (int i = 0; i < hardware.size(); i++) {
            Breakpoint b = hardware.get(i);
            dr7 |= 2L << (2 * i) | (long) b.kind.bits << (16 + 4 * i) | b.lengthBits() << (18 + 4 * i);
        }
        return dr7;
    }
}
