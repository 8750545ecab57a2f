package io.javisor.jmh;

import io.javisor.kvm.CpuidEntry;
import io.javisor.kvm.DescriptorTable;
import io.javisor.kvm.GuestRam;
import io.javisor.kvm.Kvm;
import io.javisor.kvm.KvmVm;
import io.javisor.kvm.Regs;
import io.javisor.kvm.SegmentRegister;
import io.javisor.kvm.Sregs;
import io.javisor.kvm.Vcpu;
import java.util.List;

/** A VM of 2 MiB with interrupt controllers and one vCPU in 64-bit mode, by the typed requests to KVM alone; nothing runs it. */
final class PlainGuest implements AutoCloseable {
    private static final int MEMORY = 2 << 20;
    /** PE MP ET NE WP AM PG: as a partition starts its boot vCPU. */
    private static final long CR0 = 0x8005_0033L;

    private static final int LEAF_XSAVE = 0xD;

    private final Kvm kvm = Kvm.open();
    private final KvmVm vm = kvm.createVm();
    private final GuestRam ram;
    private final Vcpu vcpu;

    /**
     * The VM.
     *
     * @param code machine code for 0x1000, where the vCPU begins, with the first GiB mapped
     * @param rsi what it finds in that register
     */
    PlainGuest(byte[] code, long rsi) {
        vm.interrupts().createIrqchip();
        ram = vm.mapMemory(0, MEMORY);
        ram.write(0, BenchmarkPartition.image(code));
        vcpu = vm.createVcpu(0);
        List<CpuidEntry> cpuid = kvm.supportedCpuid();
        vcpu.setCpuid(cpuid);
        cpuid.stream()
                .filter(l -> l.function() == LEAF_XSAVE && l.index() == 0)
                .forEach(l -> vcpu.state().setXcr0(Integer.toUnsignedLong(l.eax()) | (long) l.edx() << 32));
        SegmentRegister data = SegmentRegister.data(0x18);
        Sregs sregs = vcpu.sregs();
        vcpu.setSregs(sregs.cs(SegmentRegister.code64(0x10))
                .ds(data)
                .es(data)
                .ss(data)
                .gdt(new DescriptorTable(BenchmarkPartition.GDT, 31))
                .cr0(CR0)
                .cr3(BenchmarkPartition.TABLES)
                .cr4(Sregs.CR4_PAE)
                .efer(Sregs.EFER_LME | Sregs.EFER_LMA));
        vcpu.setRegs(new Regs().rip(BenchmarkPartition.CODE).rsi(rsi).rflags(2));
    }

    KvmVm vm() {
        return vm;
    }

    GuestRam ram() {
        return ram;
    }

    Vcpu vcpu() {
        return vcpu;
    }

    /** Once nothing runs it any more. */
    @Override
    public void close() {
        vcpu.close();
        ram.close();
        vm.close();
        kvm.close();
    }
}
