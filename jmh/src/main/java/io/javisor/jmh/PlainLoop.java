package io.javisor.jmh;

import io.javisor.kvm.CpuidEntry;
import io.javisor.kvm.DescriptorTable;
import io.javisor.kvm.Exit;
import io.javisor.kvm.GuestRam;
import io.javisor.kvm.Kvm;
import io.javisor.kvm.KvmVm;
import io.javisor.kvm.Regs;
import io.javisor.kvm.SegmentRegister;
import io.javisor.kvm.Sregs;
import io.javisor.kvm.Vcpu;
import java.util.List;

/**
 * What runs a guest and does nothing besides: the vCPU and the guest of a {@link BenchmarkPartition} whose only device is called
 * straight away, without counters, ranges, events or a gate.
 */
final class PlainLoop implements AutoCloseable {
    private static final int MEMORY = 2 << 20;
    /** PE MP ET NE WP AM PG: as the partition starts its boot vCPU. */
    private static final long CR0 = 0x8005_0033L;

    private static final int LEAF_XSAVE = 0xD;

    private static final long REGISTERS = 0x3000_0000;

    private final Kvm kvm = Kvm.open();
    private final KvmVm vm = kvm.createVm();
    private final GuestRam ram;
    private final Vcpu vcpu;
    private final CountingDevice device = new CountingDevice();
    private final Thread thread;
    private volatile boolean closed;

    PlainLoop(byte[] code) {
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
        vcpu.setRegs(new Regs().rip(BenchmarkPartition.CODE).rsi(REGISTERS).rflags(2));
        thread = Thread.ofPlatform().daemon().name("plain vcpu0").start(this::loop);
        device.awaitBatch();
    }

    CountingDevice device() {
        return device;
    }

    private void loop() {
        while (!closed) {
            switch (vcpu.run()) {
                case Exit.IoOut out -> device.write(out.port(), out.size(), out.value(0));
                case Exit.IoIn in -> in.set(0, device.read(in.port(), in.size()));
                case Exit.MmioWrite write -> device.write(write.address(), write.length(), write.value());
                case Exit.MmioRead read -> read.set(device.read(read.address(), read.length()));
                case Exit.Interrupted _ -> {}
                case Exit other -> throw vcpu.dump().error(other);
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        device.end();
        vcpu.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        vcpu.close();
        ram.close();
        vm.close();
        kvm.close();
    }
}
