package io.javisor.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The QEMU process of one lab, under a small shell that outlives us: it kills QEMU and removes the lab's folder when our
 * end of its standard input is closed, however we ended.
 */
final class Qemu implements AutoCloseable {
    /** Arguments: the folder to remove, then QEMU's command. The background shell holds our pipe; QEMU must not. */
    private static final String GUARD = """
            trap '' INT QUIT HUP TERM
            dir=$1
            shift
            exec 3<&0
            "$@" </dev/null 3<&- &
            vm=$!
            { read -r _; kill -KILL $vm; } <&3 2>/dev/null &
            guard=$!
            exec 3<&-
            wait $vm
            code=$?
            rm -rf "$dir"
            kill -KILL $guard 2>/dev/null
            exit $code
            """;

    private static final int KEPT_LINES = 40;

    private final Process process;
    private final List<String> complaints = new ArrayList<>();

    Qemu(Path folder, List<String> command) throws IOException {
        List<String> words = new ArrayList<>(List.of("/bin/sh", "-c", GUARD, "javisor-lab", folder.toString()));
        if (Prerequisites.find("setpriv") != null) {
            // Should even the shell be killed.
            words.addAll(List.of("setpriv", "--pdeathsig", "KILL"));
        }
        words.addAll(command);
        process = new ProcessBuilder(words).redirectErrorStream(true).start();
        Thread.ofVirtual().name("lab-qemu-messages").start(this::collect);
    }

    private void collect() {
        try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line; (line = reader.readLine()) != null; ) {
                synchronized (complaints) {
                    if (complaints.size() < KEPT_LINES) {
                        complaints.add(line);
                    }
                }
            }
        } catch (IOException e) {
            synchronized (complaints) {
                complaints.add("(QEMU's messages end: " + e.getMessage() + ")");
            }
        }
    }

    /** What QEMU has said. */
    String messages() {
        synchronized (complaints) {
            return String.join("\n", complaints);
        }
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Waits for its end by itself. */
    boolean awaitEnd(long millis) throws InterruptedException {
        return process.waitFor(millis, TimeUnit.MILLISECONDS);
    }

    /** Ends it at once and waits until it and its folder are gone. */
    @Override
    public void close() {
        boolean interrupted = false;
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            process.destroyForcibly();
        }
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
