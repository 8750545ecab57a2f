package io.javisor.lab;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A command to run in the lab.
 *
 * @param words the program and its arguments; no word may contain a NUL
 * @param directory where it starts, or null for {@code /}
 * @param environment its whole environment; {@link #of} starts with a PATH and a HOME
 */
public record LabCommand(List<String> words, @Nullable Path directory, Map<String, String> environment) {
    private static final String PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /** Checks that there is a program to run, and copies. */
    public LabCommand {
        words = List.copyOf(words);
        environment = Map.copyOf(environment);
        if (words.isEmpty()) {
            throw new IllegalArgumentException("a command needs a program");
        }
    }

    /** A program with its arguments, started in the root folder with a plain environment. */
    public static LabCommand of(String... words) {
        return new LabCommand(List.of(words), null, Map.of("PATH", PATH, "HOME", "/root"));
    }

    /** A program for {@code sh}. */
    public static LabCommand shell(String program) {
        return of("/bin/sh", "-c", program);
    }

    /** The same, started elsewhere. */
    public LabCommand in(Path folder) {
        return new LabCommand(words, folder.toAbsolutePath(), environment);
    }

    /** The same with one variable set. */
    public LabCommand with(String name, String value) {
        Map<String, String> more = new HashMap<>(environment);
        more.put(name, value);
        return new LabCommand(words, directory, more);
    }

    /** The same with another environment. */
    public LabCommand withEnvironment(Map<String, String> all) {
        return new LabCommand(words, directory, all);
    }

    /** One line of shell that becomes this command. */
    String toShell() {
        StringBuilder line = new StringBuilder(256);
        if (directory != null) {
            line.append("cd ").append(quote(directory.toString())).append(" && ");
        }
        line.append("exec /usr/bin/env -i");
        new TreeMap<>(environment).forEach((name, value) -> line.append(' ').append(quote(name + "=" + value)));
        for (String word : words) {
            line.append(' ').append(quote(word));
        }
        return line.toString();
    }

    /** A word that the shell reads as it is, in one line whatever it contains. */
    static String quote(String word) {
        StringBuilder quoted = new StringBuilder(word.length() + 8).append("$'");
        for (byte b : word.getBytes(StandardCharsets.UTF_8)) {
            if (b == 0) {
                throw new IllegalArgumentException("a word of a command contains a NUL");
            }
            if (b >= ' ' && b < 0x7F && b != '\'' && b != '\\') {
                quoted.append((char) b);
            } else {
                quoted.append(String.format("\\%03o", b & 0xFF));
            }
        }
        return quoted.append('\'').toString();
    }
}
