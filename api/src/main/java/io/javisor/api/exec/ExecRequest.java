package io.javisor.api.exec;

import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A program to run in the guest: not a shell's command line, but a program and its arguments, passed as they are. Immutable.
 *
 * <pre>
 * ExecRequest.command("sort", "-u").stdin("b\na\n").timeout(Duration.ofSeconds(5)).build()
 * ExecRequest.of("sh", "-c", "dmesg | tail -3")
 * </pre>
 */
public final class ExecRequest {
    /** How long a program may run unless the request says otherwise. */
    public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(60);

    /** Most bytes of output that a result holds, for each of stdout and stderr, unless the request says otherwise: 64 MiB. */
    public static final int DEFAULT_OUTPUT_LIMIT = 64 << 20;

    private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

    private final List<String> command;
    private final Map<String, String> environment;
    private final @Nullable String directory;
    private final byte[] stdin;
    private final Duration timeout;
    private final int outputLimit;
    private final @Nullable OutputStream stdoutTo;
    private final @Nullable OutputStream stderrTo;

    private ExecRequest(Builder b) {
        command = List.copyOf(b.command);
        environment = Map.copyOf(b.environment);
        directory = b.directory;
        stdin = b.stdin;
        timeout = b.timeout;
        outputLimit = b.outputLimit;
        stdoutTo = b.stdoutTo;
        stderrTo = b.stderrTo;
    }

    /** A program and its arguments, with everything else as by default. */
    public static ExecRequest of(String... command) {
        return command(command).build();
    }

    /**
     * Begins a request.
     *
     * @param command the program, by path or looked up in the guest's PATH, and its arguments; sent as UTF-8, without NULs
     * @throws IllegalArgumentException if there is none, its name is empty or begins with a dash, or a NUL is in it
     */
    public static Builder command(String... command) {
        return new Builder(List.of(command));
    }

    /** The program and its arguments. */
    public List<String> command() {
        return command;
    }

    /** Variables added to the environment of the guest's shell. */
    public Map<String, String> environment() {
        return environment;
    }

    /** Where it runs; empty for where the guest's shell is. */
    public Optional<String> directory() {
        return Optional.ofNullable(directory);
    }

    /** What it reads from standard input before the end of file. */
    public byte[] stdin() {
        return stdin.clone();
    }

    byte[] stdinShared() {
        return stdin;
    }

    /** How long it may run. */
    public Duration timeout() {
        return timeout;
    }

    /** Most bytes of each output that a result holds. */
    public int outputLimit() {
        return outputLimit;
    }

    @Nullable
    OutputStream stdoutTo() {
        return stdoutTo;
    }

    @Nullable
    OutputStream stderrTo() {
        return stderrTo;
    }

    @Override
    public String toString() {
        return "ExecRequest" + command;
    }

    /** Gathers a request. For one thread. */
    public static final class Builder {
        private final List<String> command;
        private final Map<String, String> environment = new LinkedHashMap<>();
        private @Nullable String directory;
        private byte[] stdin = {};
        private Duration timeout = DEFAULT_TIMEOUT;
        private int outputLimit = DEFAULT_OUTPUT_LIMIT;
        private @Nullable OutputStream stdoutTo;
        private @Nullable OutputStream stderrTo;

        private Builder(List<String> command) {
            if (command.isEmpty() || command.getFirst().isEmpty()) {
                throw new IllegalArgumentException("command: no program given");
            }
            if (command.getFirst().startsWith("-")) {
                throw new IllegalArgumentException(
                        "command: a program's name can't begin with a dash; use ./" + command.getFirst());
            }
            for (String word : command) {
                requireNoNul("command", word);
            }
            this.command = command;
        }

        /** Gives it this as standard input; without, it reads the end of file at once. */
        public Builder stdin(byte[] bytes) {
            stdin = bytes.clone();
            return this;
        }

        /** Gives it this as standard input, as UTF-8. */
        public Builder stdin(String text) {
            stdin = text.getBytes(StandardCharsets.UTF_8);
            return this;
        }

        /**
         * Adds a variable to its environment.
         *
         * @throws IllegalArgumentException if the name is not letters, digits and underscores, or the value has a NUL
         */
        public Builder env(String name, String value) {
            if (!VARIABLE.matcher(name).matches()) {
                throw new IllegalArgumentException(
                        "env: \"" + name + "\" is not a name of letters, digits and underscores");
            }
            requireNoNul("env." + name, value);
            environment.put(name, value);
            return this;
        }

        /** Runs it in this folder of the guest. If that can't be entered, the exit code is 125 and standard error says why. */
        public Builder directory(String path) {
            requireNoNul("directory", path);
            if (path.isEmpty()) {
                throw new IllegalArgumentException("directory: empty path");
            }
            directory = path;
            return this;
        }

        /** Kills it, with everything in its session, after this time; more than 0. */
        public Builder timeout(Duration limit) {
            if (limit.isNegative() || limit.isZero()) {
                throw new IllegalArgumentException("timeout: " + limit + " is not more than 0");
            }
            timeout = limit;
            return this;
        }

        /** Fails with {@code exec-output-limit} if stdout or stderr has more bytes than this, and is not sent to a stream. */
        public Builder outputLimit(int bytes) {
            if (bytes < 0) {
                throw new IllegalArgumentException("outputLimit: " + bytes + " bytes");
            }
            outputLimit = bytes;
            return this;
        }

        /** Writes its standard output to a stream, after its end and without limit; the stream is not closed. */
        public Builder stdoutTo(OutputStream stream) {
            stdoutTo = stream;
            return this;
        }

        /** Writes its standard error to a stream, after its end and without limit; the stream is not closed. */
        public Builder stderrTo(OutputStream stream) {
            stderrTo = stream;
            return this;
        }

        /** The request. */
        public ExecRequest build() {
            return new ExecRequest(this);
        }

        private static void requireNoNul(String what, String text) {
            if (text.indexOf('\0') >= 0) {
                throw new IllegalArgumentException(what + ": a NUL can't be passed to a program");
            }
        }
    }
}
