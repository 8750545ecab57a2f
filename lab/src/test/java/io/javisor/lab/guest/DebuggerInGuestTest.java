package io.javisor.lab.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.javisor.api.Outcome;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.kvm.DebugSupport;
import io.javisor.kvm.Exit;
import io.javisor.kvm.GuestDebug;
import io.javisor.kvm.GuestRam;
import io.javisor.kvm.Kvm;
import io.javisor.kvm.KvmVm;
import io.javisor.kvm.Regs;
import io.javisor.kvm.Sregs;
import io.javisor.kvm.Vcpu;
import io.javisor.lab.junit.LabTest;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A real gdb in a stock kernel, and what only a KVM on a processor's own virtualization does for debuggers. */
@LabTest(guests = "6.12-cloud")
@Tag("long")
class DebuggerInGuestTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Path GDB = Path.of("/usr/bin/gdb");

    private static VirtualMachine machine() {
        return VirtualMachine.builder("debugged")
                .vcpus(2)
                .linux(l -> l.debian("6.12-cloud").append("nokaslr"))
                .build();
    }

    /** A gdb at work, and what it has said so far. */
    private static final class Gdb implements AutoCloseable {
        private final Process process;
        private final List<String> said = new ArrayList<>();
        private final BufferedReader output;

        Gdb(int port, String... commands) throws IOException {
            var all = new ArrayList<>(List.of(GDB.toString(), "-nx", "-batch"));
            var first = List.of("set pagination off", "set tcp auto-retry off", "target remote 127.0.0.1:" + port);
            for (String command : first) {
                all.addAll(List.of("-ex", command));
            }
            for (String command : commands) {
                all.addAll(List.of("-ex", command));
            }
            process = new ProcessBuilder(all).redirectErrorStream(true).start();
            output = process.inputReader(StandardCharsets.UTF_8);
        }

        /** Reads on to a line that contains this; fails at the end of output. */
        void await(String part) throws IOException {
            for (String line; (line = output.readLine()) != null; ) {
                said.add(line);
                if (line.contains(part)) {
                    return;
                }
            }
            throw new AssertionError("gdb ended without \"" + part + "\":\n" + String.join("\n", said));
        }

        String toItsEnd() throws IOException, InterruptedException {
            for (String line; (line = output.readLine()) != null; ) {
                said.add(line);
            }
            assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
            return String.join("\n", said);
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }
    }

    private static String symbol(VirtualMachine vm, String name) {
        String line = vm.exec("sh", "-c", "grep -w " + name + " /proc/kallsyms").stdoutText();
        assertThat(line).matches("[0-9a-f]{16} . " + name + "\n");
        return line.substring(0, 16);
    }

    private static DebugSupport support() {
        try (Kvm kvm = Kvm.open()) {
            return DebugSupport.probe(kvm);
        }
    }

    @Test
    void gdbReadsStepsAndLetsAStockKernelGoOn() throws Exception {
        assumeTrue(Files.isExecutable(GDB), "needs gdb: apt-get install gdb");
        try (VirtualMachine vm = machine()) {
            int port = vm.debugger(0).port();
            vm.start().await(Wait.forShell(), PATIENCE);
            String banner = symbol(vm, "linux_banner");
            CompletableFuture<String> answer;
            try (Gdb gdb = new Gdb(
                    port,
                    "info threads",
                    "x/s 0x" + banner,
                    "printf \"rip %lx cr3 %lx\\n\", $rip, $cr3",
                    "stepi",
                    "stepi",
                    "printf \"then %lx\\n\", $rip",
                    "detach")) {
                answer = CompletableFuture.supplyAsync(() ->
                        vm.exec("sh", "-c", "hostname stepped && hostname").stdoutText());
                String said = gdb.toItsEnd();
                System.out.println(said);
                assertThat(said)
                        .contains("Thread 1 (vCPU 0", "Thread 2 (vCPU 1", "\"Linux version 6.12")
                        .containsPattern("rip [0-9a-f]+ cr3 [0-9a-f]+")
                        .containsPattern("then [0-9a-f]+")
                        .contains("detached]");
            }
            assertThat(answer.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo("stepped\n");
            assertThat(vm.exec("dmesg").stdoutText()).doesNotContain("soft lockup", "BUG:", "Oops", "int3");
            assertThat(vm.shutdown(PATIENCE)).isEqualTo(new Outcome.PoweredOff());
        }
    }

    @Test
    void gdbBreaksInAStockKernelThoughKvmReportsNoBreakpoints() throws Exception {
        assumeTrue(Files.isExecutable(GDB), "needs gdb: apt-get install gdb");
        DebugSupport support = support();
        assumeFalse(support.software() && support.hardware(), "breakpoints work on this host");
        try (VirtualMachine vm = machine()) {
            int port = vm.debugger(0).port();
            vm.start().await(Wait.forShell(), PATIENCE);
            String place = symbol(vm, "__x64_sys_sethostname");
            CompletableFuture<String> answer;
            try (Gdb gdb = new Gdb(
                    port,
                    "break *0x" + place,
                    "printf \"set\\n\"",
                    "continue",
                    "printf \"rip %lx\\n\", $rip",
                    "x/2i $pc",
                    "stepi",
                    "printf \"then %lx\\n\", $rip",
                    "continue",
                    "printf \"again %lx\\n\", $rip",
                    "delete",
                    "detach")) {
                gdb.await("set");
                answer = CompletableFuture.supplyAsync(
                        () -> vm.exec("sh", "-c", "hostname first; hostname second; hostname")
                                .stdoutText());
                String said = gdb.toItsEnd();
                System.out.println(said);
                assertThat(said)
                        .contains("rip " + place, "again " + place, "detached]")
                        .containsPattern("then [0-9a-f]+")
                        .doesNotContain("then " + place)
                        .doesNotContain("out ");
            }
            assertThat(answer.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo("second\n");
            assertThat(vm.exec("dmesg").stdoutText()).doesNotContain("soft lockup", "BUG:", "Oops", "int3");

            // What stays impossible is refused, and the guest meets none of it.
            String kind = support.hardware() ? "break *0x400000" : "hbreak *0x" + place;
            try (Gdb gdb = new Gdb(vm.debugger(0).port(), kind, "continue", "detach")) {
                assertThat(gdb.toItsEnd()).contains("Cannot insert");
            }
            assertThat(vm.exec("sh", "-c", "hostname on && hostname").stdoutText())
                    .isEqualTo("on\n");
            assertThat(vm.shutdown(PATIENCE)).isEqualTo(new Outcome.PoweredOff());
        }
    }

    @Test
    void gdbBreaksInAStockKernelAndContinues() throws Exception {
        assumeTrue(Files.isExecutable(GDB), "needs gdb: apt-get install gdb");
        assumeTrue(support().software() && support().hardware(), "this host's KVM does not report breakpoints");
        String startKernel;
        try (VirtualMachine vm = machine()) {
            int port = vm.debugger(0).port();
            vm.start().await(Wait.forShell(), PATIENCE);
            startKernel = symbol(vm, "start_kernel");
            String syscall = symbol(vm, "__x64_sys_sethostname");
            String banner = symbol(vm, "linux_banner");
            try (Gdb gdb = new Gdb(
                    port,
                    "info threads",
                    "x/s 0x" + banner,
                    "break *0x" + syscall,
                    "continue",
                    "printf \"rip %lx cr3 %lx\\n\", $rip, $cr3",
                    "x/3i $pc",
                    "stepi",
                    "printf \"then %lx\\n\", $rip",
                    "delete",
                    "watch *(long *) ($rsp - 8)",
                    "continue",
                    "delete",
                    "detach")) {
                gdb.await("Continuing.");
                CompletableFuture<String> answer = CompletableFuture.supplyAsync(() ->
                        vm.exec("sh", "-c", "hostname stopped && hostname").stdoutText());
                String said = gdb.toItsEnd();
                System.out.println(said);
                assertThat(said)
                        .contains("Thread 1 (vCPU 0", "Thread 2 (vCPU 1", "\"Linux version 6.12")
                        .containsPattern("(?m)^(Thread \\d .*)?hit Breakpoint 1, 0x" + syscall)
                        .contains("rip " + syscall)
                        .containsPattern("=> 0x" + syscall)
                        .containsPattern("then (?!" + syscall + ")ffffffff")
                        .contains("hit Hardware watchpoint 2", "Old value", "New value")
                        .contains("detached]");
                assertThat(answer.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo("stopped\n");
            }
            assertThat(vm.exec("dmesg").stdoutText()).doesNotContain("soft lockup", "BUG:", "Oops", "int3");
            assertThat(vm.shutdown(PATIENCE)).isEqualTo(new Outcome.PoweredOff());
        }
        fromTheFirstInstruction(startKernel);
    }

    private static void fromTheFirstInstruction(String startKernel) throws Exception {
        try (VirtualMachine vm = machine()) {
            int port = vm.debugger(0).port();
            vm.startUnderDebugger();
            try (Gdb gdb = new Gdb(
                    port,
                    "hbreak *0x" + startKernel,
                    "continue",
                    "printf \"rip %lx\\n\", $rip",
                    "delete",
                    "continue")) {
                gdb.await("rip " + startKernel);
                assertThat(vm.console().text()).doesNotContain("end of");
                vm.await(Wait.forShell(), PATIENCE);
                assertThat(vm.shutdown(PATIENCE)).isEqualTo(new Outcome.PoweredOff());
                assertThat(gdb.toItsEnd()).contains("exited normally]");
            }
        }
    }

    /** int3 at 0x1001, whose handler at 0x2000 says 'h'. */
    private static void realMode(KvmVm vm, GuestRam ram, Vcpu cpu) {
        ram.write(0x1000, (byte) 0x90, (byte) 0xCC, (byte) 0x90, (byte) 0xF4); // nop; int3; nop; hlt
        ram.write(3 * 4, (byte) 0x00, (byte) 0x20, (byte) 0, (byte) 0);
        ram.write(0x2000, (byte) 0xB0, (byte) 'h', (byte) 0xE6, (byte) 0x10, (byte) 0xCF); // mov al; out 0x10, al; iret
        Sregs sregs = cpu.sregs();
        cpu.setSregs(sregs.cs(sregs.cs().realMode(0))
                .ds(sregs.ds().realMode(0))
                .ss(sregs.ss().realMode(0)));
        cpu.setRegs(new Regs().rip(0x1000).rsp(0x8000).rflags(2));
        assertThat(vm.kvm().maxVcpus()).isPositive();
    }

    @Test
    void aBreakpointOfTheGuestsOwnGoesBackToIt() {
        assumeTrue(support().software(), "this host's KVM does not report INT3");
        try (Kvm kvm = Kvm.open();
                KvmVm vm = kvm.createVm();
                GuestRam ram = vm.mapMemory(0, 0x10000);
                Vcpu cpu = vm.createVcpu(0)) {
            realMode(vm, ram, cpu);
            GuestDebug breakpoints = new GuestDebug(false, true, false, List.of());
            cpu.state().setGuestDebug(breakpoints);
            assertThat(cpu.run()).isInstanceOfSatisfying(Exit.Debug.class, d -> {
                assertThat(d.exception()).isEqualTo(3);
                assertThat(d.pc()).isEqualTo(0x1001);
            });
            cpu.state().returnDebugException(breakpoints, 3);
            assertThat(cpu.run())
                    .isInstanceOfSatisfying(
                            Exit.IoOut.class, out -> assertThat(out.value()).isEqualTo('h'));
            assertThat(cpu.run()).as("after its handler").isInstanceOf(Exit.Halt.class);
            assertThat(cpu.regs().rip()).isEqualTo(0x1004);
        }
    }
}
