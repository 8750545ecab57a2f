package io.javisor.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.HypervisorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A guest of a hundred bytes is saved in the middle of a sum, and goes on right elsewhere. */
@Timeout(300)
class SavedMachineTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    static Path kernel;

    @TempDir
    Path folder;

    @BeforeAll
    static void writeKernel() {
        TinyKernel.writeTo(kernel);
    }

    @BeforeEach
    void needsKvm() {
        TinyKernel.assumeKvm();
    }

    private static VirtualMachine running() {
        VirtualMachine vm = TinyKernel.machine(kernel).build();
        vm.start();
        vm.await(Wait.forConsole("..."), PATIENCE);
        return vm;
    }

    private List<Path> files() throws Exception {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void goesOnInAFreshJvm(boolean compressed) throws Exception {
        Path state = folder.resolve("state");
        String before;
        try (VirtualMachine vm = running()) {
            vm.pause();
            vm.save(state, compressed ? new SaveOption[] {SaveOption.COMPRESSED} : new SaveOption[0]);
            assertThat(vm.state()).isEqualTo(MachineState.PAUSED);
            before = vm.console().text();
        }
        assertThat(before).doesNotContain("=");
        String output = FreshJvm.outputOf(FreshJvm.start(FreshJvm.Restore.class, state.toString()), PATIENCE);
        String rest = ".".repeat(TinyKernel.DOTS - before.length());
        assertThat(output).contains("PAUSED", "PoweredOff[]", "\n" + rest + TinyKernel.sum() + "\n");
    }

    @Test
    void goesOnAfterASave() throws Exception {
        try (VirtualMachine vm = running()) {
            vm.save(folder.resolve("state"));
            assertThat(vm.state()).isEqualTo(MachineState.RUNNING);
            assertThat(vm.awaitStop(PATIENCE)).isEqualTo(new Outcome.PoweredOff());
            assertThat(vm.console().text()).isEqualTo(".".repeat(TinyKernel.DOTS) + TinyKernel.sum() + "\n");
        }
        assertThat(files()).containsExactly(folder.resolve("state"));
    }

    /** What the guest has written to an overlay would be missing; the machine goes on, and is saved once the disk is gone. */
    @Test
    void aDiskThatForgetsItsWritesIsNotSaved() throws Exception {
        Path base = Files.write(folder.resolve("base.raw"), new byte[4096]);
        Path state = folder.resolve("state");
        try (VirtualMachine vm = running()) {
            Drive forgetful = vm.disks().add(DriveSpec.builder(base).overlay().build());
            assertThatThrownBy(() -> vm.save(state)).isInstanceOfSatisfying(HypervisorException.class, e -> {
                assertThat(e.code()).isEqualTo("saved-state-drive");
                assertThat(e).hasMessageContaining("base.raw at 0:0 keeps what the guest writes in memory");
                assertThat(e.remedy()).contains("use a differencing disk");
            });
            assertThat(vm.state()).isEqualTo(MachineState.RUNNING);
            assertThat(files()).containsExactly(base);
            assertThat(vm.disks().remove(forgetful)).isTrue();
            vm.save(state);
            assertThat(SavedState.open(state).spec().drives()).isEmpty();
        }
    }

    @Test
    void aRestoredMachineIsSavedAgain() {
        Path first = folder.resolve("first");
        Path second = folder.resolve("second");
        try (VirtualMachine vm = running()) {
            vm.save(first);
        }
        try (VirtualMachine vm = VirtualMachine.restore(first)) {
            vm.resume();
            vm.await(Wait.forConsole("..."), PATIENCE);
            vm.save(second);
        }
        SavedState state = SavedState.open(second);
        assertThat(state.spec().name()).isEqualTo("tiny");
        assertThat(state.spec().memory()).isEqualTo(MemorySize.mib(32));
        assertThat(state.filledBytes()).isBetween(MemorySize.mib(16), MemorySize.mib(26));
        try (VirtualMachine vm = state.restoreAs("other")) {
            assertThat(vm.spec().name()).isEqualTo("other");
            vm.resume();
            assertThat(vm.awaitStop(PATIENCE)).isEqualTo(new Outcome.PoweredOff());
            assertThat(vm.console().text()).endsWith(TinyKernel.sum() + "\n");
            // The next power-on boots from the kernel that the description names.
            vm.start();
            assertThat(vm.awaitStop(PATIENCE)).isEqualTo(new Outcome.PoweredOff());
            assertThat(vm.console().text()).endsWith(".".repeat(TinyKernel.DOTS) + TinyKernel.sum() + "\n");
        }
    }

    /**
     * Each clone reads all of the 16 MiB of data and writes its table. What they hold together is not much more than one copy
     * of the data: its proportional share (Pss) of the mapped file says so, and each clone's private pages.
     */
    @Test
    void aHundredClonesShareTheirMemory() throws Exception {
        Path folderOfState = folder.resolve("state");
        try (VirtualMachine vm = running()) {
            vm.save(folderOfState);
        }
        SavedState state = SavedState.open(folderOfState);
        List<VirtualMachine> clones = new ArrayList<>();
        try {
            for (int i = 0; i < 100; i++) {
                clones.add(state.restoreAs("clone-" + i));
            }
            // One dot more: by then a clone has read each page of the data. Some at a time, so that none comes to its
            // end
            // meanwhile.
            for (int i = 0; i < 100; i += 10) {
                List<VirtualMachine> some = clones.subList(i, i + 10);
                some.forEach(VirtualMachine::resume);
                for (VirtualMachine clone : some) {
                    clone.await(Wait.forConsole("."), Duration.ofSeconds(150));
                    clone.pause();
                }
            }
            Map<String, Long> held = MemoryUse.of(folderOfState.resolve("memory-0.img"));
            System.out.println("100 clones: " + held + ", own bytes of the first: "
                    + clones.getFirst().residentBytes());
            assertThat(held.get("mappings")).isGreaterThanOrEqualTo(100);
            long data = MemorySize.mib(16);
            assertThat(held.get("Rss")).isGreaterThan(100 * data);
            assertThat(held.get("Pss")).isLessThan(100 * data / 4);
            assertThat(held.get("Private_Dirty")).isLessThan(100 * MemorySize.mib(1));
            assertThat(clones).allSatisfy(c -> assertThat(c.residentBytes()).isLessThan(MemorySize.mib(1)));
            VirtualMachine last = clones.getLast();
            last.resume();
            assertThat(last.awaitStop(Duration.ofSeconds(100))).isEqualTo(new Outcome.PoweredOff());
            assertThat(last.console().text()).endsWith(TinyKernel.sum() + "\n");
        } finally {
            clones.forEach(VirtualMachine::close);
        }
    }

    @Test
    @SuppressWarnings("try") // closed early, which is the point
    void closingEndsASave() throws Exception {
        try (VirtualMachine vm = running()) {
            vm.pause();
            CompletableFuture<Void> saving = CompletableFuture.runAsync(() -> {
                for (int i = 0; ; i++) {
                    vm.save(folder.resolve("state-" + i));
                }
            });
            vm.await(Wait.forConsole("..."), PATIENCE);
            while (vm.state() != MachineState.SAVING) {
                Thread.onSpinWait();
            }
            vm.close();
            assertThatThrownBy(saving::join).hasCauseInstanceOf(HypervisorException.class);
        }
        for (Path state : files()) {
            assertThat(state.getFileName().toString()).doesNotStartWith(".");
            SavedState.open(state);
        }
    }

    @Test
    void whatIsThereIsNotOverwritten() throws Exception {
        Files.writeString(folder.resolve("file"), "x");
        try (VirtualMachine vm = running()) {
            assertThatThrownBy(() -> vm.save(folder))
                    .isInstanceOfSatisfying(
                            HypervisorException.class, e -> assertThat(e.code()).isEqualTo("saved-state-exists"));
            assertThat(vm.state()).isEqualTo(MachineState.RUNNING);
            assertThatThrownBy(() -> vm.save(folder.resolve("file"))).isInstanceOf(HypervisorException.class);
            vm.kill();
            assertThatThrownBy(() -> vm.save(folder.resolve("state")))
                    .isInstanceOfSatisfying(
                            HypervisorException.class, e -> assertThat(e.code()).isEqualTo("wrong-state"));
        }
        assertThat(files()).containsExactly(folder.resolve("file"));
    }

    @Test
    void aJvmThatIsKilledWhileItSavesLeavesNothingThatRestores() throws Exception {
        // The kill may come between two saves: then another try.
        for (int i = 0; i < 10 && halves().isEmpty(); i++) {
            Path target = Files.createDirectory(folder.resolve("try-" + i));
            Process jvm = FreshJvm.start(FreshJvm.SaveForEver.class, kernel.toString(), target.toString());
            while (halves().isEmpty() && jvm.isAlive()) {
                Thread.onSpinWait();
            }
            jvm.destroyForcibly().waitFor();
        }
        assertThat(halves()).isNotEmpty();
        for (Path half : halves()) {
            assertThatThrownBy(() -> SavedState.open(half)).hasMessageContaining("no saved machine");
        }
    }

    private List<Path> halves() throws Exception {
        try (Stream<Path> files =
                Files.find(folder, 2, (f, _) -> f.getFileName().toString().startsWith(".state-"))) {
            return files.toList();
        }
    }
}
