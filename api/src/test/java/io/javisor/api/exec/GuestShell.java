package io.javisor.api.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.javisor.boot.debian.DebianPackages;
import io.javisor.devices.ByteSink;
import io.javisor.partition.HypervisorException;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A real shell on this machine in place of a guest's, on pipes or on a pseudo-terminal, with a folder of its own. */
final class GuestShell implements AutoCloseable, GuestLine {
    /** What may sit at the guest's end of the port. */
    enum Kind {
        /** busybox and nothing else in PATH. */
        BUSYBOX_ON_PIPES(false, "busybox sh"),
        DASH_ON_PIPES(false, "dash"),
        BASH_ON_PIPES(false, "bash --norc"),
        /** Interactive: a prompt, echo, line editing, job control; started again when it dies. */
        BUSYBOX_ON_A_TERMINAL(true, "while :; do busybox sh; done"),
        DASH_ON_A_TERMINAL(true, "while :; do dash; done"),
        BASH_ON_A_TERMINAL(true, "while :; do bash --norc; done");

        final boolean terminal;
        final String command;

        Kind(boolean terminal, String command) {
            this.terminal = terminal;
            this.command = command;
        }
    }

    final Process process;
    final Path folder;

    GuestShell(Kind kind, Path folder) throws IOException {
        this(kind, folder, Files.createDirectory(folder.resolve("tmp")));
    }

    GuestShell(Kind kind, Path folder, Path tmp) throws IOException {
        this.folder = folder;
        Path busybox = busybox();
        Path applets = Files.createDirectory(folder.resolve("bin"));
        String path = applets + ":" + System.getenv("PATH");
        if (kind.command.contains("busybox")) {
            await(new ProcessBuilder(busybox.toString(), "--install", "-s", applets.toString()).start());
            path = applets.toString();
        }
        // Builds that run in the background ignore interrupts, and a shell can't undo what it inherited.
        List<String> command = new ArrayList<>(List.of("/usr/bin/env", "--default-signal=INT,QUIT"));
        if (kind.terminal) {
            assumeTrue(Files.isExecutable(Path.of("/usr/bin/script")), "needs script (Debian: bsdutils)");
            command.addAll(List.of("/usr/bin/script", "-qfec", kind.command, "/dev/null"));
        } else {
            command.addAll(List.of("/bin/sh", "-c", "exec " + kind.command));
        }
        var builder = new ProcessBuilder(command).directory(folder.toFile());
        builder.environment().put("PATH", path);
        builder.environment().put("SHELL", "/bin/sh");
        builder.environment().put("TMPDIR", tmp.toString());
        if (!kind.terminal) {
            builder.redirectError(ProcessBuilder.Redirect.DISCARD);
        }
        process = builder.start();
    }

    private static Path busybox() {
        try {
            return DebianPackages.open().busybox();
        } catch (HypervisorException e) {
            return abort("needs a static busybox: " + e.getMessage());
        }
    }

    private static void await(Process process) throws IOException {
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    /** Passes what the shell prints to a sink, until it ends. */
    void pump(ByteSink sink) {
        Thread.ofPlatform().daemon().start(() -> {
            byte[] buffer = new byte[4096];
            try (InputStream in = process.getInputStream()) {
                for (int n; (n = in.read(buffer)) >= 0; ) {
                    for (int i = 0; i < n; i++) {
                        sink.write(buffer[i]);
                    }
                }
            } catch (IOException e) {
                // the process has gone
            }
        });
    }

    @Override
    public int send(byte[] bytes, int offset, int length, long timeoutNanos) {
        try {
            process.getOutputStream().write(bytes, offset, length);
            process.getOutputStream().flush();
            return length;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public int unread() {
        return 0;
    }

    /** Whether a process with this in its command line is there. */
    static boolean runs(String argument) {
        return ProcessHandle.allProcesses().anyMatch(p -> {
            try {
                String line = Files.readString(Path.of("/proc/" + p.pid() + "/cmdline"));
                return line.contains("\0" + argument + "\0");
            } catch (IOException e) {
                return false;
            }
        });
    }

    @Override
    public void close() {
        List<ProcessHandle> children = process.descendants().toList();
        process.destroyForcibly();
        children.forEach(ProcessHandle::destroyForcibly);
        File[] links = folder.resolve("bin").toFile().listFiles(); // they lead out of the folder
        for (File link : links == null ? new File[0] : links) {
            assertThat(link.delete()).isTrue();
        }
    }
}
