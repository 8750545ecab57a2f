package io.javisor.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.javisor.partition.HypervisorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** On a host whose KVM lacks the Hyper-V enlightenments, machines run without a bus, and what needs one says so. */
@Timeout(120)
class NoBusTest {
    @TempDir
    static Path folder;

    @BeforeAll
    static void writeKernel() {
        TinyKernel.writeTo(folder);
    }

    @BeforeEach
    void needsKvmWithoutHyperV() {
        TinyKernel.assumeKvm();
        assumeFalse(Host.check().hyperV(), "this host's KVM has the enlightenments");
    }

    private static void refused(ThrowingCallable call) {
        HypervisorException e = catchThrowableOfType(HypervisorException.class, call);
        assertThat(e.code()).isEqualTo("no-vmbus");
        assertThat(e).hasMessageContaining("KVM_CAP_HYPERV");
        assertThat(e.remedy()).contains("CONFIG_KVM_HYPERV");
    }

    @Test
    void servicesAndSocketsAreRefusedWhileTheGuestRuns() {
        try (VirtualMachine vm = TinyKernel.machine(folder).build()) {
            vm.start();
            refused(vm::integration);
            refused(() -> vm.connect(1, Duration.ofSeconds(1)));
            refused(() -> vm.listen(1));
            assertThat(vm.awaitStop(Duration.ofSeconds(60))).isEqualTo(new Outcome.PoweredOff());
        }
    }

    @Test
    void aMachineWithADiskDoesNotStart() throws Exception {
        Path disk = Files.write(folder.resolve("disk.raw"), new byte[1 << 20]);
        try (VirtualMachine vm = TinyKernel.machine(folder).disk(disk).build()) {
            refused(vm::start);
        }
    }
}
