package io.javisor.api.exec;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.devices.Serial16550;
import io.javisor.devices.Serial16550.Model;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The engine, a serial port, a driver that knows only its registers and its interrupt, and a shell on a terminal. */
@Timeout(60)
class ExecOverSerialTest {
    private static final int DATA = 0;
    private static final int IER = 1;
    private static final int IIR = 2;
    private static final int FCR = 2;
    private static final int MCR = 4;
    private static final int LSR = 5;

    @TempDir
    Path folder;

    @Test
    void commands_and_binary_pass_through_fifos_and_interrupts() throws Exception {
        try (var guest = new GuestShell(GuestShell.Kind.BUSYBOX_ON_A_TERMINAL, folder);
                var exec = new Exec("test", () -> "closed")) {
            var interrupt = new Semaphore(0);
            var port = new Serial16550(
                    "serial1",
                    Model.NS16550A,
                    level -> {
                        if (level) {
                            interrupt.release();
                        }
                    },
                    exec.sink());
            exec.connect(port);
            port.write(FCR, 1, 0x81);
            port.write(MCR, 1, 0x0B);
            port.write(IER, 1, 0x01);
            guest.pump(b -> port.write(DATA, 1, b));
            Thread driver = Thread.ofPlatform().daemon().start(() -> drive(port, interrupt, guest));

            byte[] data = new byte[64 * 1024];
            new Random(7).nextBytes(data);
            for (int i = 0; i < 20; i++) {
                assertThat(exec.run(ExecRequest.of("echo", "n" + i)).stdoutText())
                        .isEqualTo("n" + i + "\n");
            }
            assertThat(exec.run(ExecRequest.command("cat").stdin(data).build()).stdout())
                    .isEqualTo(data);
            driver.interrupt();
        }
    }

    private static void drive(Serial16550 port, Semaphore interrupt, GuestShell guest) {
        try {
            while (interrupt.tryAcquire(1, TimeUnit.HOURS)) {
                var got = new ByteArrayOutputStream();
                while ((port.read(IIR, 1) & 1) == 0) {
                    while ((port.read(LSR, 1) & 1) != 0) {
                        got.write((int) port.read(DATA, 1));
                    }
                }
                guest.process.getOutputStream().write(got.toByteArray());
                guest.process.getOutputStream().flush();
            }
        } catch (InterruptedException | IOException e) {
            // the test is over
        }
    }
}
