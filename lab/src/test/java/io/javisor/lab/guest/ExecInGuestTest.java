package io.javisor.lab.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.api.exec.ExecException;
import io.javisor.api.exec.ExecRequest;
import io.javisor.api.exec.ExecResult;
import io.javisor.lab.junit.LabTest;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Programs run in stock kernels by a busybox shell on the second serial port, and the kernel's driver never complains. */
@LabTest(guests = {"6.1", "6.12-cloud"})
class ExecInGuestTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    @Test
    void commandsBinaryAndTimeOuts() throws Exception {
        commandsBinaryAndTimeOuts("6.12-cloud", 200);
    }

    @Test
    @Tag("long")
    void commandsBinaryAndTimeOutsWithAnEarlierKernel() throws Exception {
        commandsBinaryAndTimeOuts("6.1", 20);
    }

    private static void commandsBinaryAndTimeOuts(String kernel, int commands) throws Exception {
        try (VirtualMachine vm =
                VirtualMachine.builder("exec").linux(l -> l.debian(kernel)).build()) {
            vm.start().await(Wait.forShell(), PATIENCE);
            ExecResult uname = vm.exec("uname", "-r");
            assertThat(uname.stdoutText())
                    .startsWith(kernel.replace("-cloud", ""))
                    .endsWith("amd64\n");
            assertThat(uname.exitCode()).isZero();

            long begun = System.nanoTime();
            for (int i = 0; i < commands; i++) {
                ExecResult result = vm.exec("sh", "-c", "echo n" + i + "; exit " + i % 256);
                assertThat(result.stdoutText()).isEqualTo("n" + i + "\n");
                assertThat(result.exitCode()).isEqualTo(i);
            }
            System.out.printf("%s: %d commands in %d ms%n", kernel, commands, (System.nanoTime() - begun) / 1_000_000);

            String sum = vm.exec("sh", "-c", "head -c 262144 /dev/urandom >/tmp/r; sha256sum </tmp/r")
                    .stdoutText();
            begun = System.nanoTime();
            byte[] random = vm.exec("cat", "/tmp/r").stdout();
            System.out.printf("%s: 256 KiB out in %d ms%n", kernel, (System.nanoTime() - begun) / 1_000_000);
            assertThat(random).hasSize(262_144);
            assertThat(sum).startsWith(sha256(random));

            byte[] input = new byte[64 * 1024];
            new Random(1).nextBytes(input);
            begun = System.nanoTime();
            ExecResult received =
                    vm.exec(ExecRequest.command("sha256sum").stdin(input).build());
            System.out.printf("%s: 64 KiB in in %d ms%n", kernel, (System.nanoTime() - begun) / 1_000_000);
            assertThat(received.stdoutText()).startsWith(sha256(input));

            ExecException late = catchThrowableOfType(
                    ExecException.class,
                    () -> vm.exec(ExecRequest.command("sh", "-c", "echo begun; sleep 12345 & sleep 12345")
                            .timeout(Duration.ofSeconds(2))
                            .build()));
            assertThat(late.code()).isEqualTo("exec-timeout");
            assertThat(late.captured().orElseThrow().stdoutText()).isEqualTo("begun\n");
            assertThat(vm.exec("pgrep", "-f", "sleep 12345").stdout()).isEmpty();

            ExecException lost =
                    catchThrowableOfType(ExecException.class, () -> vm.exec("sh", "-c", "kill -9 $PPID; sleep 12346"));
            assertThat(lost.code()).isEqualTo("exec-shell-lost");
            assertThat(vm.exec("echo", "back").stdoutText()).isEqualTo("back\n");
            assertThat(vm.exec("pgrep", "-f", "sleep 12346").stdout()).isEmpty();

            String log = vm.exec("dmesg").stdoutText();
            assertThat(log)
                    .doesNotContain("overrun")
                    .doesNotContain("too much work")
                    .doesNotContain("nobody cared");
            assertThat(vm.exec("cat", "/proc/tty/driver/serial").stdoutText())
                    .contains("16550A")
                    .doesNotContain("oe:");
            assertThat(vm.exec("grep", "ttyS0", "/proc/interrupts").stdoutText())
                    .as("nothing remaps interrupts, which would make twelve accesses of the end of each")
                    .contains(" IO-APIC ");
        }
    }
}
