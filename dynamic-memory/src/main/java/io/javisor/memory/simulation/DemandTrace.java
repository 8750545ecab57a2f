package io.javisor.memory.simulation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Demand for memory as it was recorded: a sample each period. Its file is text:
 *
 * <pre>
 * javisor demand trace 1
 * workload: what ran
 * measured: what the numbers are
 * recorded: when and on what
 * period: seconds between two samples
 *
 * 104857600
 * 209715200
 * </pre>
 *
 * @param workload what ran, and how to run it again
 * @param measured what the samples are, in bytes: {@code VmRSS of a process and its descendants}
 * @param recorded when, and on what machine
 * @param period seconds between two samples, 1 to 3,600
 * @param samples bytes, in order of time; at least one, none negative
 */
public record DemandTrace(String workload, String measured, String recorded, int period, List<Long> samples) {
    private static final String FIRST = "javisor demand trace 1";
    private static final int MOST_SAMPLES = 1 << 20;
    private static final int LONGEST_PERIOD = 3_600;

    /** Checks the ranges, and copies the list. */
    public DemandTrace {
        samples = List.copyOf(samples);
        if (period < 1 || period > LONGEST_PERIOD) {
            throw new IllegalArgumentException(
                    "a period of " + period + " s; 1 to " + LONGEST_PERIOD + " are possible");
        }
        if (samples.isEmpty() || samples.size() > MOST_SAMPLES) {
            throw new IllegalArgumentException(samples.size() + " samples; 1 to " + MOST_SAMPLES + " are possible");
        }
        for (long sample : samples) {
            if (sample < 0) {
                throw new IllegalArgumentException("a sample of " + sample + " bytes");
            }
        }
        for (String text : List.of(workload, measured, recorded)) {
            if (text.isBlank() || text.indexOf('\n') >= 0) {
                throw new IllegalArgumentException(
                        "a trace says in a line each what ran, what was measured, and where");
            }
        }
    }

    /** The largest sample. */
    public long peak() {
        return samples.stream().mapToLong(Long::longValue).max().orElseThrow();
    }

    /** How long it was recorded for. */
    public int seconds() {
        return samples.size() * period;
    }

    /** As a file. */
    public String format() {
        var text = new StringBuilder(FIRST)
                .append("\nworkload: ")
                .append(workload)
                .append("\nmeasured: ")
                .append(measured)
                .append("\nrecorded: ")
                .append(recorded)
                .append("\nperiod: ")
                .append(period)
                .append("\n\n");
        samples.forEach(sample -> text.append(sample).append('\n'));
        return text.toString();
    }

    /**
     * Reads a trace.
     *
     * @throws IOException if the file can't be read, or is no trace; the message names the line
     */
    public static DemandTrace read(Path file) throws IOException {
        try {
            return parse(Files.readString(file));
        } catch (IllegalArgumentException e) {
            throw new IOException(file + " is no demand trace: " + e.getMessage(), e);
        }
    }

    /** Reads a trace. Throws IllegalArgumentException, naming the line, if it is none. */
    public static DemandTrace parse(String text) {
        List<String> lines = Arrays.asList(text.split("\n", -1));
        if (!lines.getFirst().equals(FIRST)) {
            throw new IllegalArgumentException("line 1: it begins with \"" + FIRST + "\"");
        }
        var samples = new ArrayList<Long>();
        for (int i = 6; i < lines.size(); i++) {
            if (!lines.get(i).isEmpty()) {
                samples.add(number(lines, i));
            }
        }
        return new DemandTrace(
                field(lines, 1, "workload"),
                field(lines, 2, "measured"),
                field(lines, 3, "recorded"),
                (int) Math.min(Integer.MAX_VALUE, number(List.of(field(lines, 4, "period")), 0)),
                samples);
    }

    private static String field(List<String> lines, int at, String name) {
        String begin = name + ": ";
        if (lines.size() <= at || !lines.get(at).startsWith(begin)) {
            throw new IllegalArgumentException("line " + (at + 1) + ": it says \"" + begin + "...\"");
        }
        return lines.get(at).substring(begin.length());
    }

    private static long number(List<String> lines, int at) {
        String line = lines.get(at);
        if (!line.matches("[0-9]{1,18}")) {
            throw new IllegalArgumentException(
                    "line " + (at + 1) + ": \"" + line + "\" is no number of at most 18 digits");
        }
        return Long.parseLong(line);
    }
}
