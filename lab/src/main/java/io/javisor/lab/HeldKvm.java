package io.javisor.lab;

import io.javisor.kvm.Kvm;
import io.javisor.kvm.KvmException;
import io.javisor.kvm.KvmVm;
import org.jspecify.annotations.Nullable;

/**
 * An idle virtual machine that a process in the lab keeps while it makes others. The first VM of a kernel and the last one
 * to go make it patch its running code (Linux, virt/kvm/kvm_main.c, {@code preempt_notifier_inc}). QEMU's translator, with
 * one thread for each processor, may translate such code while another processor changes it, and then keeps what it saw for
 * ever: the lab's kernel hangs in breakpoint exceptions. With this VM there, machines come and go without a patch.
 */
public final class HeldKvm implements AutoCloseable {
    private final @Nullable Kvm kvm;
    private final @Nullable KvmVm vm;

    private HeldKvm(@Nullable Kvm kvm, @Nullable KvmVm vm) {
        this.kvm = kvm;
        this.vm = vm;
    }

    /** Makes the VM; where there is no KVM, whoever needs one will say so. */
    public static HeldKvm open() {
        Kvm kvm = null;
        try {
            kvm = Kvm.open();
            return new HeldKvm(kvm, kvm.createVm());
        } catch (KvmException e) {
            if (kvm != null) {
                kvm.close();
            }
            return new HeldKvm(null, null);
        }
    }

    @Override
    public void close() {
        if (vm != null) {
            vm.close();
        }
        if (kvm != null) {
            kvm.close();
        }
    }
}
