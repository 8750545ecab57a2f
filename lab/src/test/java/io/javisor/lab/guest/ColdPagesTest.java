package io.javisor.lab.guest;

import static io.javisor.api.MemorySize.mib;
import static io.javisor.lab.guest.MemoryWaves.state;
import static io.javisor.lab.guest.MemoryWaves.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.kvm.partition.CpuModel;
import io.javisor.kvm.partition.CpuOption;
import io.javisor.lab.HostKernel;
import io.javisor.lab.junit.LabTest;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A stock kernel hands its free memory back by itself, where KVM passes extended hypercalls on. */
@Tag("long")
@LabTest(kernel = HostKernel.V6_12, guests = "6.12-cloud", memory = "2560M")
class ColdPagesTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @Test
    void freeMemoryIsTheHostsWithoutABalloon() throws Exception {
        try (VirtualMachine vm = VirtualMachine.builder("cold")
                .memory(mib(512))
                .cpu(CpuModel.HOST, CpuOption.COLD_PAGES)
                .dynamicMemory(d -> d.maximum(mib(512))) // nothing for the balancer to do
                .linux(l -> l.debian("6.12-cloud"))
                .build()) {
            vm.start().await(Wait.forShell(), PATIENCE);
            vm.exec(
                            "sh",
                            "-c",
                            "mkdir /t && mount -t tmpfs -o size=300m none /t && head -c 200000000 /dev/urandom >/t/a")
                    .orThrow();
            long filled = vm.residentBytes();
            long before = vm.memory().handedBack();
            long total = MemoryWaves.kilobytes(vm, "MemTotal");
            vm.exec("rm", "/t/a").orThrow();
            assertThat(within(
                            PATIENCE,
                            () -> vm.memory().handedBack() - before >= mib(100)
                                    && vm.residentBytes() <= filled - mib(100)))
                    .as(
                            "from %d MiB to %d, handed back %d: %s",
                            filled >> 20, vm.residentBytes() >> 20, vm.memory().handedBack() >> 20, state(vm))
                    .isTrue();
            assertThat(MemoryWaves.kilobytes(vm, "MemTotal"))
                    .as("it has all of its memory, as it sees it")
                    .isEqualTo(total);
            assertThat(vm.memory().assigned()).isEqualTo(mib(512));
            assertThat(vm.exec(
                                    "sh",
                                    "-c",
                                    "head -c 150000000 /dev/urandom >/t/b; sha256sum /t/b >/sum; sha256sum -c /sum")
                            .orThrow()
                            .stdoutText())
                    .as("and uses it again")
                    .isEqualTo("/t/b: OK\n");
            assertThat(vm.exec("dmesg").stdoutText()).doesNotContain("Cold memory discard hypercall failed");
        }
    }
}
