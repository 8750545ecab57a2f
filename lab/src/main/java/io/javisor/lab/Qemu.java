package io.javisor.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The QEMU process of one lab, under a small shell that outlives us: it kills QEMU and removes the lab's folder when our
 * end of its standard input is closed, however we ended.
 */
final class Qemu implements AutoCloseable {
    /**
     * Arguments: the folder to remove, then QEMU's command. The background shell holds our pipe; QEMU must not. PIPE is
     * ignored because nobody may read what the shell says at the end.
     */
    private static final String GUARD = """
            trap '' INT QUIT HUP TERM PIPE
            dir=$1
            shift
            exec 3<&0
            "$@" </dev/null 3<&- &
            vm=$!
            { read -r _; kill -KILL $vm; } <&3 2>/dev/null &
            guard=$!
            exec 3<&-
            wait $vm
            echo "javisor-lab: QEMU has ended with code $?"
            wait $guard
            rm -rf "$dir"
            """;

    private static final String ENDED = "javisor-lab: QEMU has ended";
    private static final int KEPT_LINES = 40;

    private final Process process;
    private final CountDownLatch ended = new CountDownLatch(1);
    private final List<String> complaints = new ArrayList<>();

    Qemu(Path folder, List<String> command) throws IOException {
        List<String> words = new ArrayList<>(List.of("/bin/sh", "-c", GUARD, "javisor-lab", folder.toString()));
        if (Prerequisites.find("setpriv") != null) {
            // Should even the shell be killed.
            words.addAll(List.of("setpriv", "--pdeathsig", "KILL"));
        }
        words.addAll(command);
        process = new ProcessBuilder(words).redirectErrorStream(true).start();
        // A read of a pipe keeps the thread that carries a virtual one: as many labs as processors would leave none.
        Thread.ofPlatform().daemon().name("lab-qemu-messages").start(this::collect);
    }

    private void collect() {
        try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line; (line = reader.readLine()) != null; ) {
                if (line.startsWith(ENDED)) {
                    ended.countDown();
                }
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
        } finally {
            ended.countDown();
        }
    }

    /** What QEMU has said. */
    String messages() {
        synchronized (complaints) {
            return String.join("\n", complaints);
        }
    }

    boolean isAlive() {
        return ended.getCount() != 0;
    }

    /** Waits for its end by itself. */
    boolean awaitEnd(long millis) throws InterruptedException {
        return ended.await(millis, TimeUnit.MILLISECONDS);
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
