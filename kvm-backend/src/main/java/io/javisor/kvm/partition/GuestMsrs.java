package io.javisor.kvm.partition;

import io.javisor.kvm.Kvm;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Which MSRs hold a guest's state. */
final class GuestMsrs {
    static final int HV_SCONTROL = 0x4000_0080;
    static final int HV_SIEFP = 0x4000_0082;
    static final int HV_SIMP = 0x4000_0083;

    private static final int TSC = 0x10;
    private static final int TSC_DEADLINE = 0x6E0;
    private static final int HV_FIRST_TIMER = 0x4000_00B0;
    private static final int HV_TIMERS = 4;

    private GuestMsrs() {}

    /**
     * Those of KVM's own list, and those that it leaves out of it, in an order in which they can be written: the TSC-deadline
     * timer last. The TSC itself is not among them, {@link GuestTime} has it; nor are those that say what the processor is
     * rather than what the guest did, and those to which a write is an act.
     */
    static int[] of(Kvm kvm) {
        return Stream.of(
                        IntStream.of(kvm.msrIndexList()).filter(GuestMsrs::isState),
                        architectural(),
                        synthetic(),
                        IntStream.of(TSC_DEADLINE))
                .flatMapToInt(s -> s)
                .distinct()
                .toArray();
    }

    private static boolean isState(int msr) {
        if (msr >= 0x480 && msr <= 0x493 // VMX capabilities, of which guests have none
                || msr >= HV_FIRST_TIMER && msr < HV_FIRST_TIMER + 2 * HV_TIMERS) { // in their own order below
            return false;
        }
        return switch (msr) {
            case TSC, TSC_DEADLINE -> false;
            case 0x10A, 0x345 -> false; // IA32_ARCH_CAPABILITIES, IA32_PERF_CAPABILITIES
            case 0x4000_0003 -> false; // HV_X64_MSR_RESET
            case 0x4000_0020 -> false; // HV_X64_MSR_TIME_REF_COUNT, which follows from the VM's clock
            case 0x4000_0022, 0x4000_0023 -> false; // frequencies of TSC and APIC
            case 0x4000_0105 -> false; // HV_X64_MSR_CRASH_CTL
            default -> true;
        };
    }

    /** Intel SDM volume 4. */
    private static IntStream architectural() {
        return Stream.of(
                        IntStream.of(0x3B, 0x1A0), // IA32_TSC_ADJUST, IA32_MISC_ENABLE
                        IntStream.of(0x250, 0x258, 0x259), // fixed-range MTRRs
                        IntStream.range(0x268, 0x270), // fixed-range MTRRs of 4 KiB pages
                        IntStream.range(0x200, 0x210), // variable-range MTRRs: base and mask of eight
                        IntStream.of(0x277, 0x2FF), // IA32_PAT, IA32_MTRR_DEF_TYPE
                        IntStream.of(0x17A, 0x17B), // machine check: status, control
                        IntStream.range(0x280, 0x2A0), // machine check: corrected errors of 32 banks
                        IntStream.range(0x400, 0x480)) // machine check: 32 banks of four
                .flatMapToInt(s -> s);
    }

    /** Hyper-V's SynIC and timers, of which KVM lists only one register each (TLFS appendix F). */
    private static IntStream synthetic() {
        IntStream sints = IntStream.rangeClosed(0x4000_0090, 0x4000_009F);
        // Count before configuration: a count that is written to a timer may enable it, and the configuration then says
        // whether it really was.
        IntStream timers = IntStream.range(0, HV_TIMERS)
                .flatMap(i -> IntStream.of(HV_FIRST_TIMER + 2 * i + 1, HV_FIRST_TIMER + 2 * i));
        return Stream.of(IntStream.of(HV_SCONTROL, HV_SIEFP, HV_SIMP), sints, timers)
                .flatMapToInt(s -> s);
    }
}
