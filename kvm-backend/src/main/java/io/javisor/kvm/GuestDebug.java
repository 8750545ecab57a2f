package io.javisor.kvm;

import static io.javisor.kvm.abi.Constants.KVM_GUESTDBG_BLOCKIRQ;
import static io.javisor.kvm.abi.Constants.KVM_GUESTDBG_ENABLE;
import static io.javisor.kvm.abi.Constants.KVM_GUESTDBG_SINGLESTEP;
import static io.javisor.kvm.abi.Constants.KVM_GUESTDBG_USE_HW_BP;
import static io.javisor.kvm.abi.Constants.KVM_GUESTDBG_USE_SW_BP;

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
        return KVM_GUESTDBG_ENABLE
                | (singleStep ? KVM_GUESTDBG_SINGLESTEP : 0)
                | (softwareBreakpoints ? KVM_GUESTDBG_USE_SW_BP : 0)
                | (blockInterrupts ? KVM_GUESTDBG_BLOCKIRQ : 0)
                | (hardware.isEmpty() ? 0 : KVM_GUESTDBG_USE_HW_BP);
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
