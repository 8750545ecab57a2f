package io.javisor.lab.junit;

/**
 * What a guest says when the lab's emulator has broken it. QEMU delivers the vector of an interrupt that KVM injects at once, but
 * keeps it as the processor's pending exception ({@code exception_index}, in {@code helper_vmrun} of {@code svm_helper.c});
 * another thread that wants the processor's attention before the next exit of the guest makes it deliver the vector again, without
 * a look at the guest's interrupt flag. Nearly always the guest takes that for an interrupt too many. At the first instruction
 * of a system call, though, a guest is privileged while its stack is still the program's: the processor can't push there. No
 * interrupt that respects the flag comes at that instruction, and what does not respect it has a stack of its own.
 */
final class EmulatorFault {
    private static final String PANIC = "RIP: 0010:entry_SYSCALL_64+0x0/";

    /** A stock kernel that is lost so early, or so far, that it can't panic any more. */
    private static final String TRIPLE_FAULT = "but the guest ended: TripleFault[";

    private EmulatorFault() {}

    /** Whether that is what a test failed of. */
    static boolean isIn(Thrown thrown) {
        for (Thrown at = thrown; at != null; at = at.cause()) {
            String message = at.message();
            if (message != null && (message.contains(PANIC) || message.contains(TRIPLE_FAULT))) {
                return true;
            }
        }
        return false;
    }
}
