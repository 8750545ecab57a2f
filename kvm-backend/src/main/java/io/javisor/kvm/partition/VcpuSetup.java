package io.javisor.kvm.partition;

import io.javisor.kvm.Capability;
import io.javisor.kvm.CpuidEntry;
import io.javisor.kvm.DescriptorTable;
import io.javisor.kvm.Kvm;
import io.javisor.kvm.Msr;
import io.javisor.kvm.Regs;
import io.javisor.kvm.SegmentRegister;
import io.javisor.kvm.Sregs;
import io.javisor.kvm.Vcpu;
import java.util.ArrayList;
import java.util.List;

/** Gives a new vCPU its processor model and its first registers. */
final class VcpuSetup {
    /** Features of leaf 1, ECX (Intel SDM volume 2, CPUID): VMX, TSC-deadline timer, and that there is a hypervisor. */
    private static final int VMX = 1 << 5;

    private static final int TSC_DEADLINE = 1 << 24;
    private static final int HYPERVISOR = 1 << 31;

    /** Features of leaf 0x80000001, ECX (AMD APM volume 3, appendix E): SVM. */
    private static final int SVM = 1 << 2;

    private static final int LEAF_FEATURES = 1;
    private static final int LEAF_XSAVE = 0xD;
    private static final int LEAF_AMD_FEATURES = 0x8000_0001;
    private static final int LEAF_SVM = 0x8000_000A;

    /** IA32_APIC_BASE: the local APIC is on, in x2APIC mode (Intel SDM volume 3, 11.12.1). */
    private static final long X2APIC_ENABLED = 0xC00;

    private static final int MSR_MISC_ENABLE = 0x1A0;
    private static final long FAST_STRINGS = 1;
    private static final int MSR_MTRR_DEFAULT = 0x2FF;

    /** MTRRs on, write-back where no range says otherwise (Intel SDM volume 3, 12.11.2.1). */
    private static final long MTRR_WRITE_BACK = 0x806;

    private static final long CR0_LONG_MODE = 0x8005_0033L; // PE MP ET NE WP AM PG

    private VcpuSetup() {}

    /** Sets CPUID, SynIC, XCR0 and the MSRs that firmware would have set; gives the CPUID leaves that were set. */
    static List<CpuidEntry> prepare(Kvm kvm, Vcpu vcpu, PartitionConfig config, List<CpuidEntry> processor) {
        List<CpuidEntry> leaves = config.cpuid().isExact() ? processor : guestFeatures(kvm, config, processor);
        if (config.hyperV() && !config.cpuid().isExact()) {
            leaves = HyperV.identity(
                    leaves, kvm.supportedHypervCpuid(), config.has(CpuOption.COLD_PAGES), !config.needsX2apic());
        }
        vcpu.setCpuid(leaves);
        if (config.hyperV()) {
            // Synthetic timers need an active SynIC even in direct mode, and without a VMBus.
            vcpu.enable(Capability.HYPERV_SYNIC2);
        }
        long features = xsaveFeatures(leaves);
        if (features != 0) {
            // Where the host can't intercept XSETBV (a KVM that is itself emulated) KVM would run the guest with XCR0 =
            // 1.
            vcpu.state().setXcr0(features);
        }
        if (config.needsX2apic()) {
            // As firmware hands such machines over: Linux takes APIC IDs beyond 254 only if it finds x2APIC on.
            Sregs sregs = vcpu.sregs();
            vcpu.setSregs(sregs.apicBase(sregs.apicBase() | X2APIC_ENABLED));
        }
        vcpu.setMsrs(List.of(new Msr(MSR_MTRR_DEFAULT, MTRR_WRITE_BACK), new Msr(MSR_MISC_ENABLE, FAST_STRINGS)));
        return leaves;
    }

    /**
     * No nesting and no performance counters unless asked for; a hypervisor is announced, and KVM's TSC-deadline timer, which it
     * leaves out.
     */
    private static List<CpuidEntry> guestFeatures(Kvm kvm, PartitionConfig config, List<CpuidEntry> processor) {
        boolean deadline = kvm.has(Capability.TSC_DEADLINE_TIMER);
        boolean nested = config.has(CpuOption.NESTED);
        boolean pmu = config.has(CpuOption.PMU);
        int away1 = (nested ? 0 : VMX) | (pmu ? 0 : PerformanceCounters.PERF_CAPABILITIES);
        int awayAmd = (nested ? 0 : SVM) | (pmu ? 0 : PerformanceCounters.AMD_CORE);
        var leaves = new ArrayList<CpuidEntry>();
        for (CpuidEntry leaf : processor) {
            switch (leaf.function()) {
                case LEAF_FEATURES ->
                    leaves.add(leaf.with(
                            leaf.eax(),
                            leaf.ebx(),
                            leaf.ecx() & ~away1 | HYPERVISOR | (deadline ? TSC_DEADLINE : 0),
                            leaf.edx()));
                case LEAF_AMD_FEATURES ->
                    leaves.add(leaf.with(leaf.eax(), leaf.ebx(), leaf.ecx() & ~awayAmd, leaf.edx()));
                case LEAF_SVM -> leaves.add(nested ? leaf : leaf.with(0, 0, 0, 0));
                case PerformanceCounters.INTEL_LEAF, PerformanceCounters.AMD_LEAF ->
                    leaves.add(pmu ? leaf : leaf.with(0, 0, 0, 0));
                default -> leaves.add(leaf);
            }
        }
        return leaves;
    }

    private static long xsaveFeatures(List<CpuidEntry> leaves) {
        for (CpuidEntry leaf : leaves) {
            if (leaf.function() == LEAF_XSAVE && leaf.index() == 0) {
                return Integer.toUnsignedLong(leaf.eax()) | (long) leaf.edx() << 32;
            }
        }
        return 0;
    }

    /** Puts the boot vCPU into 64-bit mode at an entry point. */
    static void enterLongMode(Vcpu vcpu, LongModeEntry entry) {
        SegmentRegister data = SegmentRegister.data(entry.dataSelector());
        Sregs sregs = vcpu.sregs();
        sregs.cs(SegmentRegister.code64(entry.codeSelector()))
                .ds(data)
                .es(data)
                .fs(data)
                .gs(data)
                .ss(data)
                .gdt(new DescriptorTable(entry.gdtBase(), entry.gdtLimit()))
                .idt(new DescriptorTable(0, 0))
                .cr0(CR0_LONG_MODE)
                .cr3(entry.cr3())
                .cr4(Sregs.CR4_PAE)
                .efer(Sregs.EFER_LME | Sregs.EFER_LMA);
        vcpu.setSregs(sregs);
        vcpu.setRegs(
                new Regs().rip(entry.rip()).rsi(entry.rsi()).rsp(entry.rsp()).rflags(2));
    }
}
