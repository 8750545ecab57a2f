package io.javisor.examples;

import io.javisor.api.MemorySize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/**
 * Several machines in a file: on each line one's name, a colon, and its options as {@code javisor run} has them; or a switch and what
 * it is like. A line that ends with a backslash goes on with the next; what follows a # at a line's beginning is for people. Words
 * are as a shell's: quotes keep blanks together.
 *
 * <pre>
 * switch lan: capacity=1G capture=lan.pcapng
 * web:    --net switch=lan,vlan=10 --exec 'ip addr add 192.168.7.1/24 dev eth0; ip link set eth0 up; httpd -p 80 -h /etc'
 * client: --net switch=lan,vlan=10,max=10M --exec '...'
 * </pre>
 *
 * @param machines in their order
 * @param switches by their names
 */
record MachinesFile(List<Entry> machines, Map<String, SwitchEntry> switches) {
    /** A machine of the file. */
    static final class Entry {
        @CommandLine.Mixin
        final MachineOptions options = new MachineOptions();

        @CommandLine.Mixin
        final StateOptions state = new StateOptions();

        @Option(names = "--exec", paramLabel = "COMMAND")
        @Nullable
        String exec;

        String name = "";
    }

    /**
     * A switch of the file.
     *
     * @param capacity bits a second of all ports together; 0 for no limit
     * @param capture where its frames are written as pcapng; null for nowhere
     */
    record SwitchEntry(long capacity, @Nullable Path capture) {}

    private static final String NAME = "[A-Za-z0-9][A-Za-z0-9._-]*";
    private static final String SWITCH = "switch\\s+";

    /**
     * Reads a file.
     *
     * @throws IllegalArgumentException if a line can't be understood, which is named
     */
    static MachinesFile read(Path file) throws IOException {
        var machines = new ArrayList<Entry>();
        var switches = new LinkedHashMap<String, SwitchEntry>();
        List<String> lines = Files.readAllLines(file);
        for (int i = 0; i < lines.size(); i++) {
            int number = i + 1;
            var whole = new StringBuilder(lines.get(i));
            while (whole.length() > 0 && whole.charAt(whole.length() - 1) == '\\' && i + 1 < lines.size()) {
                whole.setCharAt(whole.length() - 1, ' ');
                whole.append(lines.get(++i));
            }
            String line = whole.toString().strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            try {
                read(line, machines, switches);
            } catch (IllegalArgumentException | CommandLine.ParameterException e) {
                throw new IllegalArgumentException(file + ":" + number + ": " + e.getMessage(), e);
            }
        }
        if (machines.isEmpty()) {
            throw new IllegalArgumentException(file + ": no machines in it");
        }
        return new MachinesFile(List.copyOf(machines), switches);
    }

    private static void read(String line, List<Entry> machines, Map<String, SwitchEntry> switches) {
        int colon = line.indexOf(':');
        String head = colon < 0 ? "" : line.substring(0, colon).strip();
        List<String> words = words(line.substring(colon + 1));
        if (head.matches(SWITCH + NAME)) {
            String name = head.replaceFirst(SWITCH, "");
            if (switches.put(name, switchEntry(words)) != null) {
                throw new IllegalArgumentException("a second switch \"" + name + "\"");
            }
            return;
        }
        if (!head.matches(NAME)) {
            throw new IllegalArgumentException("write NAME: OPTIONS, or switch NAME: capacity=BITS capture=FILE");
        }
        if (machines.stream().anyMatch(m -> m.name.equals(head))) {
            throw new IllegalArgumentException("a second machine \"" + head + "\"");
        }
        var entry = new Entry();
        entry.name = head;
        CommandLine parser = new CommandLine(
                CommandLine.Model.CommandSpec.forAnnotatedObject(entry).name(head));
        parser.parseArgs(words.toArray(String[]::new));
        if (parser.getParseResult().hasMatchedOption("--name")) {
            throw new IllegalArgumentException("--name: the machine is named at the line's beginning");
        }
        entry.options.name(head);
        entry.options.check(parser);
        entry.state.check(parser, entry.options, entry.exec != null);
        machines.add(entry);
    }

    private static SwitchEntry switchEntry(List<String> words) {
        long capacity = 0;
        Path capture = null;
        for (String word : words) {
            if (word.startsWith("capacity=")) {
                capacity = MemorySize.parse(word.substring("capacity=".length()));
            } else if (word.startsWith("capture=") && !word.endsWith("=")) {
                capture = Path.of(word.substring("capture=".length()));
            } else {
                throw new IllegalArgumentException("\"" + word + "\"; capacity=BITS and capture=FILE are known");
            }
        }
        return new SwitchEntry(capacity, capture);
    }

    /** Splits a line as a shell does: blanks, 'as it is', "with \" and \\", \x. */
    static List<String> words(String line) {
        var words = new ArrayList<String>();
        var word = new StringBuilder();
        boolean begun = false;
        char quote = 0;
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            boolean escapes = c == '\\' && quote != '\'' && i + 1 < line.length();
            if (escapes && (quote == 0 || line.charAt(i + 1) == '"' || line.charAt(i + 1) == '\\')) {
                word.append(line.charAt(++i));
                begun = true;
            } else if (quote == 0 && (c == '\'' || c == '"')) {
                quote = c;
                begun = true;
            } else if (c == quote && quote != 0) {
                quote = 0;
            } else if (quote == 0 && Character.isWhitespace(c)) {
                if (begun) {
                    words.add(word.toString());
                }
                word.setLength(0);
                begun = false;
            } else {
                word.append(c);
                begun = true;
            }
        }
        if (quote != 0) {
            throw new IllegalArgumentException("a quote " + quote + " without its end");
        }
        if (begun) {
            words.add(word.toString());
        }
        return words;
    }
}
