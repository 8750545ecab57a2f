package io.javisor.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.VirtualMachine;
import org.junit.jupiter.api.Test;

/** A class as users write it; run by {@link WithVirtualMachineTest}. */
@WithVirtualMachine(memory = "256M")
class UnameCase {
    @Test
    void guestIsLinux(VirtualMachine vm) {
        assertThat(vm.exec("uname").stdoutText()).isEqualTo("Linux\n");
    }
}
