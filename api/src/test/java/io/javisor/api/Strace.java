package io.javisor.api;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Makes system calls of another process fail, by strace(1), until it is closed. */
final class Strace implements AutoCloseable {
    static final Path PROGRAM = Path.of("/usr/bin/strace");

    private final Process strace;

    /**
     * What is made to fail.
     *
     * @param calls by name, with commas
     * @param errno by name
     * @param when which of each thread's calls: {@code FIRST+STEP}
     * @param paths of files; only calls on one of them are made to fail, if there are any: the JVM needs its own
     */
    record Fault(String calls, String errno, String when, List<String> paths) {
        /** Calls on whatever file. */
        Fault(String calls, String errno, String when) {
            this(calls, errno, when, List.of());
        }
    }

    private Strace(Process strace) {
        this.strace = strace;
    }

    static boolean isThere() {
        return Files.isExecutable(PROGRAM);
    }

    /** Attaches; the test is skipped where that is not allowed. */
    static Strace attach(long pid, Fault fault) throws IOException {
        var command = new ArrayList<>(List.of(PROGRAM.toString(), "-f", "-o", "/dev/null"));
        fault.paths.forEach(path -> command.addAll(List.of("-P", path)));
        command.addAll(List.of("-e", "trace=" + fault.calls));
        command.addAll(List.of("-e", "inject=" + fault.calls + ":error=" + fault.errno + ":when=" + fault.when));
        command.addAll(List.of("-p", String.valueOf(pid)));
        Process strace = new ProcessBuilder(command).redirectErrorStream(true).start();
        String first = strace.inputReader(StandardCharsets.UTF_8).readLine();
        assumeTrue(first != null && first.contains("attached"), "strace may not attach here: " + first);
        Thread.ofVirtual().start(() -> {
            try (var rest = strace.getInputStream()) {
                rest.transferTo(OutputStream.nullOutputStream());
            } catch (IOException e) {
                // it has ended
            }
        });
        return new Strace(strace);
    }

    /** Lets the process go. */
    @Override
    public void close() {
        strace.destroy();
        try {
            if (!strace.waitFor(60, TimeUnit.SECONDS)) {
                throw new AssertionError("strace does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
