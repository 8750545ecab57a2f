package io.javisor.jmh;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** A guest in QEMU as Debian has it, for comparison: the machine {@code pc}, 1 vCPU, 512 MiB, console on the first serial port. */
final class StockQemu implements AutoCloseable {
    /** What its kernel is told, and ours beside it. */
    static final String COMMAND_LINE = "console=ttyS0 quiet panic=-1";

    private final Process process;
    private final InputStream console;
    private final StringBuilder seen = new StringBuilder();

    private StockQemu(Process process) {
        this.process = process;
        console = process.getInputStream();
    }

    /** Starts one. */
    static StockQemu boot(Path kernel, Path initrd, String... devices) throws IOException {
        var command = new ArrayList<String>();
        command.addAll(
                List.of("qemu-system-x86_64", "-machine", "pc,accel=kvm", "-cpu", "host", "-smp", "1", "-m", "512"));
        command.addAll(List.of("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio"));
        command.addAll(List.of(devices));
        command.addAll(List.of("-kernel", kernel.toString(), "-initrd", initrd.toString(), "-append", COMMAND_LINE));
        return new StockQemu(new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
    }

    /** Waits until the console has shown something; all that it has shown so far. */
    String await(Pattern what) throws IOException {
        byte[] some = new byte[4096];
        while (!what.matcher(seen).find()) {
            int n = console.read(some);
            if (n < 0) {
                throw new IOException("QEMU ended before its guest said " + what + ": " + seen);
            }
            seen.append(new String(some, 0, n, StandardCharsets.ISO_8859_1));
        }
        return seen.toString();
    }

    @Override
    public void close() {
        process.destroyForcibly();
        process.onExit().join();
    }
}
