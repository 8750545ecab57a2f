package io.javisor.lab.junit;

import io.javisor.lab.LabCommand;
import io.javisor.lab.LabException;
import io.javisor.lab.LabProcess;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** This side of one agent: the JVM in the lab with this JVM's class path. For one caller at a time. */
final class AgentConnection implements AutoCloseable {
    /** What {@link #next} gives. */
    sealed interface Message {
        /** The agent reports. */
        record Said(Event event) implements Message {}

        /** The agent has ended; why, as far as known. */
        record Lost(String reason) implements Message {}
    }

    private static final int KEPT_LINES = 60;

    private final Process process;
    private final DataOutputStream requests;
    private final BlockingQueue<Message> messages = new LinkedBlockingQueue<>();
    private final Deque<String> errors = new ArrayDeque<>();

    private AgentConnection(Process process) {
        this.process = process;
        this.requests = new DataOutputStream(process.getOutputStream());
    }

    /**
     * Starts an agent and waits until it takes requests.
     *
     * @throws IOException if it does not start
     */
    static AgentConnection start(AgentHost host, Path kept, Duration limit) throws IOException, InterruptedException {
        AgentConnection connection = new AgentConnection(host.start(command(kept)));
        Thread errors = Thread.ofVirtual().name("lab-agent-errors").start(connection::readErrors);
        Thread.ofVirtual().name("lab-agent-events").start(() -> connection.readEvents(errors));
        Message first = connection.next(limit);
        if (first instanceof Message.Said(Event.Ready _)) {
            return connection;
        }
        connection.close();
        String why = first instanceof Message.Lost(String reason)
                ? reason
                : "it is not ready after " + limit.toSeconds() + " s";
        throw new IOException("the JVM in the lab does not start: " + why);
    }

    private static LabCommand command(Path kept) {
        List<String> words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                // Standard output is the agent's.
                "-XX:+DisplayVMOutputToStderr",
                "-Xshare:auto",
                "-ea",
                "--enable-native-access=ALL-UNNAMED",
                "-D" + Agent.INSIDE + "=true",
                "-Djavisor.lab.kept=" + kept));
        System.getProperties().stringPropertyNames().stream()
                .filter(name -> name.startsWith("javisor.") || name.startsWith("junit.") || name.equals("basedir"))
                .sorted()
                .forEach(name -> words.add("-D" + name + "=" + System.getProperty(name)));
        words.addAll(List.of("-cp", classPath(), Agent.class.getName()));
        return LabCommand.of(words.toArray(String[]::new)).in(Path.of("").toAbsolutePath());
    }

    /** Surefire may hide the class path in a jar's manifest; it tells the real one. */
    private static String classPath() {
        String hidden = System.getProperty("surefire.test.class.path");
        String path = hidden != null ? hidden : System.getProperty("java.class.path", "");
        return Stream.of(path.split(File.pathSeparator, -1))
                .filter(entry -> !entry.isEmpty())
                .map(entry -> Path.of(entry).toAbsolutePath().toString())
                .collect(Collectors.joining(File.pathSeparator));
    }

    private void readEvents(Thread errors) {
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(process.getInputStream(), 1 << 16))) {
            for (; ; ) {
                messages.add(new Message.Said(Wire.read(in)));
            }
        } catch (EOFException e) {
            messages.add(new Message.Lost("its JVM has ended" + exit(errors)));
        } catch (IOException e) {
            messages.add(new Message.Lost("its JVM cannot be understood any more: " + e + exit(errors)));
        }
    }

    private String exit(Thread errorReader) {
        try {
            // Its last words may still be on their way.
            errorReader.join(Duration.ofSeconds(5));
            if (process.waitFor(10, TimeUnit.SECONDS)) {
                return " with exit code " + process.exitValue() + errorTail();
            }
            return errorTail();
        } catch (LabException e) {
            return ", as the lab did: " + e.getMessage();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "";
        }
    }

    private String errorTail() {
        synchronized (errors) {
            return errors.isEmpty() ? "" : "; its last words:\n" + String.join("\n", errors);
        }
    }

    private void readErrors() {
        try (BufferedReader reader = process.errorReader(StandardCharsets.UTF_8)) {
            for (String line; (line = reader.readLine()) != null; ) {
                synchronized (errors) {
                    errors.add(line);
                    if (errors.size() > KEPT_LINES) {
                        errors.remove();
                    }
                }
            }
        } catch (IOException e) {
            // The lab has ended: the events' reader tells.
        }
    }

    /** Asks it to run tests; {@link Event.Done} comes last. */
    void run(List<String> ids) throws IOException {
        requests.writeByte(Wire.RUN);
        Wire.writeStrings(requests, ids);
        requests.flush();
    }

    /** The next message, or null if none comes in time. */
    @Nullable
    Message next(Duration limit) throws InterruptedException {
        return messages.poll(limit.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** The stacks of its threads, from itself or, if it does not answer, from its JVM. */
    String threadDump(Duration limit) throws InterruptedException {
        try {
            requests.writeByte(Wire.DUMP);
            requests.flush();
        } catch (IOException e) {
            return "(no thread dump: " + e.getMessage() + ")";
        }
        long deadline = System.nanoTime() + limit.toNanos();
        for (long left; (left = deadline - System.nanoTime()) > 0; ) {
            if (next(Duration.ofNanos(left)) instanceof Message.Said(Event.Dump(String text))) {
                return text;
            }
        }
        if (process instanceof LabProcess inLab) {
            inLab.signal("QUIT");
            Thread.sleep(limit);
        }
        return "(it does not answer)" + errorTail();
    }

    /** Ends it at once. */
    @Override
    public void close() {
        process.destroyForcibly();
        if (process instanceof LabProcess inLab) {
            inLab.abandon();
        }
    }
}
