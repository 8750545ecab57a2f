package io.javisor.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.HypervisorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class MachineTemplateTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    private Path folder;

    @BeforeEach
    void needs() {
        TinyKernel.assumeKvm();
    }

    @Test
    void manyMachinesOfOneDescriptionAtOnce() {
        EchoKernel.writeTo(folder);
        MachineTemplate template =
                VirtualMachine.template(EchoKernel.machine(folder).vcpus(2).spec());
        List<VirtualMachine> all = new ArrayList<>();
        try {
            for (int i = 0; i < 8; i++) {
                all.add(template.create("echo-" + i).start());
            }
            for (VirtualMachine vm : all) {
                vm.await(Wait.forConsole("."), PATIENCE);
                EchoKernel.awaitAnswer(vm, PATIENCE);
            }
            assertThat(all).extracting(vm -> vm.spec().name()).doesNotHaveDuplicates();
            assertThat(all.getFirst().spec()).isEqualTo(template.spec().withName("echo-0"));
        } finally {
            all.forEach(VirtualMachine::close);
        }
    }

    /** Each computes over all of its memory, so that nothing of another's would go unnoticed; and again after a restart. */
    @Test
    void machinesShareNothingThatTheyWrite() {
        TinyKernel.writeTo(folder);
        MachineTemplate template =
                VirtualMachine.template(TinyKernel.machine(folder).spec());
        try (VirtualMachine one = template.create("one");
                VirtualMachine two = template.create("two")) {
            for (int boot = 1; boot <= 2; boot++) {
                one.start();
                two.start();
                for (VirtualMachine vm : List.of(one, two)) {
                    assertThat(vm.awaitStop(Duration.ofSeconds(60))).isEqualTo(new Outcome.PoweredOff());
                    assertThat(vm.console().text().split(TinyKernel.sum(), -1))
                            .as("boot %s of %s", boot, vm)
                            .hasSize(2);
                }
            }
        }
    }

    @Test
    void aKernelThatIsAnotherSinceIsRefused() throws Exception {
        Path kernel = SpinKernel.writeTo(folder);
        MachineTemplate template =
                VirtualMachine.template(SpinKernel.machine(folder).spec());
        byte[] bytes = Files.readAllBytes(kernel);
        bytes[24] ^= 1; // where it begins
        Files.write(kernel, bytes);
        try (VirtualMachine vm = template.create("late")) {
            assertThatThrownBy(vm::start)
                    .isInstanceOfSatisfying(
                            HypervisorException.class, e -> assertThat(e.code()).isEqualTo("kernel-changed"));
        }
        assertThatThrownBy(() -> template.create(" ")).isInstanceOf(IllegalArgumentException.class);
    }
}
