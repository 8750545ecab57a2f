package io.javisor.lab.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.Outcome;
import io.javisor.api.ResetAction;
import io.javisor.api.VirtualMachine;
import io.javisor.lab.junit.LabTest;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Each way in which a guest can end is told from the others. */
@LabTest(guests = "6.12-cloud")
class GuestEndsTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private static VirtualMachine machine(String init, ResetAction onReset) {
        Path initrd = GuestFiles.initrd("""
                #!/bin/busybox sh
                b=/bin/busybox
                $b mkdir -p /proc /tmp
                $b mount -t proc proc /proc
                """ + init);
        return VirtualMachine.builder("ends")
                .linux(l -> l.kernel(GuestFiles.kernel("6.12-cloud")).initrd(initrd))
                .onReset(onReset)
                .build();
    }

    @Test
    void theEndOfInitIsAPanic() {
        try (VirtualMachine vm = machine("exit 1\n", ResetAction.RESTART)) {
            Outcome outcome = vm.start().awaitStop(PATIENCE);
            assertThat(outcome).isInstanceOf(Outcome.Panicked.class);
            assertThat(((Outcome.Panicked) outcome).message()).contains("Attempted to kill init");
        }
    }

    @Test
    void aResetStopsTheMachineIfAskedTo() {
        try (VirtualMachine vm = machine("$b reboot -f\n", ResetAction.STOP)) {
            assertThat(vm.start().awaitStop(PATIENCE)).isEqualTo(new Outcome.Reset());
        }
    }
}
