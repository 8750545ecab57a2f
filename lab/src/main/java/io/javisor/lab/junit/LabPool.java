package io.javisor.lab.junit;

import io.javisor.lab.LabException;
import io.javisor.lab.LabSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The one lab that a launcher session has at a time, with its agent. It stays up between requests as long as it is large
 * enough. For one thread at a time.
 */
final class LabPool implements AutoCloseable {
    private static final Duration AGENT_LIMIT = Duration.ofMinutes(3);

    private final Path output;
    private final Function<LabSpec, AgentHost> starter;
    private final Set<String> ran = ConcurrentHashMap.newKeySet();
    private int boots;
    private @Nullable LabNeeds needs;
    private @Nullable AgentHost host;
    private @Nullable AgentConnection agent;
    private @Nullable LabException refusal;

    /** @param output folder for consoles and the list of tests that ran */
    LabPool(Path output, Function<LabSpec, AgentHost> starter) {
        this.starter = starter;
        this.output = output.toAbsolutePath();
        try {
            Files.createDirectories(kept());
            Files.writeString(ranFile(), "");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Where tests in the lab can leave files for this side. */
    private Path kept() {
        return output.resolve("kept");
    }

    private Path ranFile() {
        return output.resolve("ran.txt");
    }

    /** The agent of a lab that is large enough, started as needed. */
    AgentConnection agent(LabNeeds wanted) throws IOException, InterruptedException {
        if (refusal != null) {
            throw refusal;
        }
        LabNeeds have = needs;
        AgentHost place = host;
        if (place == null
                || !place.isAlive()
                || have == null
                || !have.fits(wanted)
                || !have.and(wanted).equals(have)) {
            close();
            LabSpec spec = wanted.toSpec()
                    .writable(kept())
                    .console(output.resolve("console-" + ++boots + ".log"))
                    .build();
            wanted.fetchGuests();
            try {
                place = starter.apply(spec);
            } catch (LabException e) {
                refusal = e;
                throw e;
            }
            host = place;
            needs = wanted;
        }
        AgentConnection current = agent;
        if (current == null) {
            current = AgentConnection.start(place, kept(), AGENT_LIMIT);
            agent = current;
        }
        return current;
    }

    /** The end of the lab's console, and where all of it is. */
    String consoleTail() {
        AgentHost current = host;
        return current == null ? "" : current.consoleTail();
    }

    /** Whether the lab that is there, if there is one, still runs. */
    boolean isLabAlive() {
        AgentHost current = host;
        return current == null || current.isAlive();
    }

    /** Ends the agent; the next one that is asked for is new. */
    void dropAgent() {
        AgentConnection current = agent;
        agent = null;
        if (current != null) {
            current.close();
        }
    }

    /** Notes that a test has really run in the lab. */
    void ran(String id) {
        if (ran.add(id)) {
            try {
                Files.writeString(ranFile(), id + "\n", StandardCharsets.UTF_8, StandardOpenOption.APPEND);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Writes a file beside the consoles. */
    Path keep(String name, String text) {
        try {
            return Files.writeString(output.resolve(name), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        dropAgent();
        AgentHost current = host;
        host = null;
        if (current != null) {
            current.close();
        }
    }
}
