package io.javisor.jmh;

import io.javisor.jmh.LatencyGuest.Way;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/**
 * How long an interrupt takes from the write to an event descriptor to the guest's handler, and a doorbell from the guest to Java's
 * handler, beside the same in C, in turns, as histograms: on a machine that does nothing else, and while a program keeps every processor
 * busy. {@code Latencies [ROUNDS]}, five without an argument.
 */
public final class Latencies {
    private static final int SAMPLES = 1000;
    private static final int FIRST = 100; // of a new guest, which don't count
    private static final long GAP =
            1_000_000; // ns: five times as long as KVM looks for work before a halted vCPU's thread sleeps
    private static final int WARM_UP = 10_000;
    private static final long WARM_UP_GAP = 10_000;
    private static final long LONGEST = 3_600_000_000_000L;
    private static final int DIGITS = 3;
    private static final double[] PERCENTILES = {50, 90, 99, 99.9, 100};

    /** One side's samples of all rounds, and of each. */
    private static final class Side {
        private final Histogram all = new Histogram(LONGEST, DIGITS);
        private final List<Histogram> rounds = new ArrayList<>();

        void add(long[] samples) {
            var one = new Histogram(LONGEST, DIGITS);
            Arrays.stream(samples).skip(FIRST).forEach(one::recordValue);
            rounds.add(one);
            all.add(one);
        }

        double at(double percentile) {
            return all.getValueAtPercentile(percentile);
        }

        double ratio(Side other, double percentile) {
            return at(percentile) / other.at(percentile);
        }
    }

    private final int rounds;
    private final String program;
    private final long[] samples = new long[SAMPLES];
    private long allocated; // by our side, in all samples of a row
    private final StringBuilder table = new StringBuilder(
            "| | | | p50 | p90 | p99 | p99.9 | longest | B/op |\n|---|---|---|--:|--:|--:|--:|--:|--:|\n");

    private Latencies(int rounds, String program) {
        this.rounds = rounds;
        this.program = program;
    }

    /** Runs it. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 5;
        String host = HostDescription.text();
        var run = new Latencies(rounds, System.getProperty(PeerProfiler.PROGRAM));
        run.measure();
        System.out.println(run.table);
        String document = System.getProperty("javisor.jmh.document", "");
        if (!document.isEmpty()) {
            String of = "; " + rounds + " rounds of " + (SAMPLES - FIRST) + " each.\n\n";
            Report.replace(Path.of(document), "latencies", host + of + run.table);
        }
    }

    private void measure() throws IOException, InterruptedException {
        for (Way way : Way.values()) {
            try (var guest = new LatencyGuest(way)) {
                guest.measure(new long[WARM_UP], WARM_UP_GAP);
            }
        }
        Process peer = start("Latencies");
        try (Writer to = peer.outputWriter(StandardCharsets.US_ASCII);
                BufferedReader from = peer.inputReader(StandardCharsets.US_ASCII)) {
            for (Way way : Way.values()) {
                row(way, "rest", to, from);
            }
            Process load = start("Burn");
            try {
                for (Way way : Way.values()) {
                    row(way, "load", to, from);
                }
            } finally {
                load.destroy();
                load.waitFor();
            }
        } finally {
            peer.destroy();
        }
    }

    private Process start(String part) throws IOException {
        return new ProcessBuilder(program, part)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private void row(Way way, String host, Writer to, BufferedReader from) throws IOException {
        var ours = new Side();
        var theirs = new Side();
        allocated = 0;
        for (int round = 0; round < rounds; round++) {
            if (round % 2 == 0) {
                ours.add(measure(way));
            }
            theirs.add(measure(way, to, from));
            if (round % 2 != 0) {
                ours.add(measure(way));
            }
        }
        String name = nameOf(way);
        line(name, host, "ours", ours, String.format(Locale.ROOT, "%.2f", (double) allocated / rounds / SAMPLES));
        line("", "", "C", theirs, "");
        double[] medians = new double[rounds];
        for (int i = 0; i < rounds; i++) {
            medians[i] = (double) ours.rounds.get(i).getValueAtPercentile(50)
                    / theirs.rounds.get(i).getValueAtPercentile(50);
        }
        Arrays.sort(medians);
        table.append(String.format(
                Locale.ROOT,
                "| | | ratio | %.2f (%.2f – %.2f) | %.2f | %.2f | %.2f | | |%n",
                ours.ratio(theirs, 50),
                medians[0],
                medians[rounds - 1],
                ours.ratio(theirs, 90),
                ours.ratio(theirs, 99),
                ours.ratio(theirs, 99.9)));
    }

    private static String nameOf(Way way) {
        return switch (way) {
            case HALTED -> "interrupt, guest halted";
            case RUNNING -> "interrupt, guest runs";
            case DOORBELL -> "doorbell";
        };
    }

    private long[] measure(Way way) {
        try (var guest = new LatencyGuest(way)) {
            long before = guest.allocated();
            guest.measure(samples, GAP);
            allocated += guest.allocated() - before;
        }
        return samples;
    }

    private static long[] measure(Way way, Writer to, BufferedReader from) throws IOException {
        to.write(way.ordinal() + " " + SAMPLES + " " + GAP + "\n");
        to.flush();
        String line = from.readLine();
        if (line == null) {
            throw new IOException("the peer has ended");
        }
        long[] theirs = Arrays.stream(line.strip().split(" ", -1))
                .mapToLong(Long::parseLong)
                .toArray();
        if (theirs.length != SAMPLES) {
            throw new IOException("the peer has sent " + theirs.length + " samples");
        }
        return theirs;
    }

    private void line(String name, String host, String who, Side side, String bytes) {
        table.append("| ").append(name).append(" | ").append(host).append(" | ").append(who);
        for (double percentile : PERCENTILES) {
            table.append(" | ").append(Report.time(side.at(percentile)));
        }
        table.append(" | ").append(bytes).append(" |\n");
    }
}
