package io.javisor.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.javisor.kvm.Kvm;
import io.javisor.kvm.KvmException;
import io.javisor.kvm.KvmVm;
import io.javisor.kvm.partition.MemfdBacking;
import io.javisor.linux.PageSize;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.MemoryBacking;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Limits are hit on purpose: the error says which and what to do, the machines that run go on, and others can start later. */
@Timeout(120)
class LimitsTest {
    @TempDir
    private Path folder;

    @BeforeEach
    void needs() {
        TinyKernel.assumeKvm();
        EchoKernel.writeTo(folder);
    }

    /** In a JVM of its own, since it would be the tests' own limit else. */
    private String hit(LimitedMachines.Limit limit) throws Exception {
        String said = FreshJvm.outputOf(
                FreshJvm.start(LimitedMachines.class, folder.toString(), limit.name()), Duration.ofSeconds(100));
        System.out.println(said);
        assertThat(said).endsWith("all answer, and another one started\n");
        return said;
    }

    @Test
    void descriptors() throws Exception {
        assertThat(hit(LimitedMachines.Limit.DESCRIPTORS))
                .containsPattern("(kvm-descriptors|guest-memory): .*EMFILE")
                .contains("ulimit -n");
    }

    @Test
    void addressSpace() throws Exception {
        assertThat(hit(LimitedMachines.Limit.ADDRESS_SPACE))
                .containsPattern("guest-memory: .*mmap.*ENOMEM")
                .contains("RLIMIT_AS");
    }

    @Test
    void mappings() throws Exception {
        assertThat(hit(LimitedMachines.Limit.MAPPINGS))
                .containsPattern("host-mappings: ")
                .contains("vm.max_map_count");
    }

    @Test
    void hugePages() throws Exception {
        Path free = Path.of("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
        assumeTrue(Files.exists(free) && Files.readString(free).strip().equals("0"), "needs a host without huge pages");
        try (VirtualMachine running = EchoKernel.machine(folder).build()) {
            running.start().await(Wait.forConsole("."), Duration.ofSeconds(30));
            // Reserved only in name, so that the machine is made; it has no first page to load its kernel into.
            try (VirtualMachine lacking =
                    EchoKernel.machine(folder).hugePages(2 << 20).build()) {
                assertThatThrownBy(lacking::start).isInstanceOfSatisfying(HypervisorException.class, e -> {
                    System.out.println(e.getMessage());
                    assertThat(e.code()).isEqualTo("kvm-guest-memory");
                    assertThat(e.remedy()).contains("nr_hugepages");
                });
                assertThat(lacking.state()).isEqualTo(MachineState.STOPPED);
            }
            EchoKernel.awaitAnswer(running, Duration.ofSeconds(30));
        }
    }

    @Test
    void vcpus() {
        try (Kvm kvm = Kvm.open();
                VirtualMachine running = EchoKernel.machine(folder).build()) {
            running.start().await(Wait.forConsole("."), Duration.ofSeconds(30));
            int most = kvm.maxVcpus();
            assertThatThrownBy(() -> {
                        try (VirtualMachine vm =
                                EchoKernel.machine(folder).vcpus(most + 1).build()) {
                            vm.start();
                        }
                    })
                    .isInstanceOfSatisfying(HypervisorException.class, e -> {
                        System.out.println(e.getMessage());
                        assertThat(e.code()).isIn("too-many-vcpus", "machine-spec");
                        assertThat(e.getMessage()).contains(String.valueOf(most));
                    });
            try (KvmVm vm = kvm.createVm()) {
                assertThatThrownBy(() -> vm.createVcpu(1 << 20)).isInstanceOfSatisfying(KvmException.class, e -> {
                    assertThat(e.code()).isEqualTo("kvm-vcpus");
                    assertThat(e.getMessage()).contains("up to " + most + " vCPUs");
                    assertThat(e.remedy()).isNotNull();
                });
            }
            EchoKernel.awaitAnswer(running, Duration.ofSeconds(30));
        }
    }

    @Test
    void memorySlots() {
        try (Kvm kvm = Kvm.open();
                KvmVm vm = kvm.createVm();
                VirtualMachine running = EchoKernel.machine(folder).build()) {
            running.start().await(Wait.forConsole("."), Duration.ofSeconds(30));
            int most = kvm.maxMemorySlots();
            try (MemoryBacking memory = MemfdBacking.reserve("slots", 8192, PageSize.KIB_4)) {
                vm.setMemory(most - 1, 0, memory.segment().asSlice(0, 4096));
                assertThatThrownBy(
                                () -> vm.setMemory(most, 4096, memory.segment().asSlice(4096, 4096)))
                        .isInstanceOfSatisfying(KvmException.class, e -> {
                            assertThat(e.code()).isEqualTo("kvm-memory-slots");
                            assertThat(e.getMessage()).contains("slot " + most, most + " slots");
                            assertThat(e.remedy()).contains("fewer, larger");
                        });
                vm.removeMemory(most - 1);
            }
            EchoKernel.awaitAnswer(running, Duration.ofSeconds(30));
        }
    }
}
