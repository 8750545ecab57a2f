/**
 * Typed bindings to the Linux kernel's virtual machine monitor, for those who want only that, and what the machine-level
 * partition stands on.
 *
 * <p>There is a class per kind of descriptor: {@link io.javisor.kvm.Kvm} is {@code /dev/kvm}, {@link io.javisor.kvm.KvmVm} a VM
 * with its {@linkplain io.javisor.kvm.VmInterrupts interrupts}, {@linkplain io.javisor.kvm.VmDoorbells doorbells} and
 * {@linkplain io.javisor.kvm.VmDirtyLog dirty pages}, {@link io.javisor.kvm.Vcpu} a vCPU with its
 * {@linkplain io.javisor.kvm.VcpuState state}. Each is closed by whoever made it; closing twice is fine, and a use after close
 * throws.
 *
 * <p>Data leaves the guest as an {@link io.javisor.kvm.Exit}, a view over the page that the vCPU shares with the kernel, and
 * through the memory of its slots; answers go back the same two ways. The run loop allocates nothing. What the kernel refuses
 * is a {@link io.javisor.kvm.KvmException} with a stable code, the ioctl, its values, the errno's name and, where there is one,
 * a remedy. The kernel's structures stay in a package of their own that is not exported; here are values and opaque bytes.
 *
 * <p>A guest of three instructions:
 *
 * {@snippet :
 * byte[] code = {
 *     (byte) 0xB0, 'A', // mov al, 'A'
 *     (byte) 0xE6, 0x10, // out 0x10, al
 *     (byte) 0xF4 // hlt
 * };
 * try (Kvm kvm = Kvm.open();
 *         KvmVm vm = kvm.createVm();
 *         GuestRam ram = vm.mapMemory(0x1000, 0x4000);
 *         Vcpu cpu = vm.createVcpu(0)) {
 *     ram.write(0x1000, code);
 *     Sregs sregs = cpu.sregs();
 *     cpu.setSregs(sregs.cs(sregs.cs().realMode(0)));
 *     cpu.setRegs(new Regs().rip(0x1000));
 *     StringBuilder output = new StringBuilder();
 *     for (; ; ) {
 *         switch (cpu.run()) {
 *             case Exit.IoOut out -> output.append((char) out.value());
 *             case Exit.Halt halt -> {
 *                 return output.toString();
 *             }
 *             case Exit exit -> throw cpu.dump().error(exit);
 *         }
 *     }
 * }
 * }
 */
@NullMarked
package io.javisor.kvm;

import org.jspecify.annotations.NullMarked;
