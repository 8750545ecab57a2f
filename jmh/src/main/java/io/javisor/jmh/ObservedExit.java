package io.javisor.jmh;

import io.javisor.jmh.Pairs.Measure;
import io.javisor.jmh.Pairs.Pair;
import java.io.IOException;
import java.nio.file.Path;
import java.text.ParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import jdk.jfr.Configuration;
import jdk.jfr.Recording;

/**
 * What it costs an exit that it can be observed, in turns within one process: a machine's vCPU thread beside a {@link PlainLoop},
 * while nobody has ever recorded, while the flight recorder records at its defaults, and while counters are read besides; and under
 * one recording, with the events of slow exits beside without them. {@code ObservedExit [PAIRS]}, 240 without an argument.
 */
public final class ObservedExit {
    private static final int WARM_UP = 150;
    private static final double AIM = 1.01;
    private static final String SLOW_EXIT = "io.javisor.SlowExit";
    private static final byte[] PORT_WRITE = Code.bytes(0xE6, 0x10, 0xEB, 0xFC); // again: out 0x10, al; jmp again

    private final int pairs;
    private final StringBuilder table = new StringBuilder(
            "| | with | without | ratio | 95 % interval | difference | aim |\n|---|--:|--:|--:|--:|--:|--:|\n");

    private ObservedExit(int pairs) {
        this.pairs = pairs;
    }

    /** Runs it. */
    public static void main(String[] arguments) throws IOException, ParseException {
        var run = new ObservedExit(arguments.length > 0 ? Integer.parseInt(arguments[0]) : 240);
        String host = HostDescription.text();
        run.measure();
        System.out.println(run.table);
        String document = System.getProperty("javisor.jmh.document", "");
        if (!document.isEmpty()) {
            Report.replace(Path.of(document), "observed", host + "; " + run.pairs + " pairs of each.\n\n" + run.table);
        }
    }

    private void measure() throws IOException, ParseException {
        try (var machine = new BenchmarkPartition(PORT_WRITE);
                var plain = new PlainLoop(PORT_WRITE)) {
            Runnable ours = machine.device()::awaitBatch;
            Runnable theirs = plain.device()::awaitBatch;
            warmUp(ours, theirs);
            row("a machine's thread beside a plain loop; never recorded", true, pairs(ours, theirs));
            try (var recording = new Recording(Configuration.getConfiguration("default"))) {
                recording.start();
                warmUp(
                        ours,
                        theirs); // the event's class is another one now, and its users are compiled anew, some more
                // than once
                row("the same under a recording at its defaults", true, pairs(ours, theirs));
                row(
                        "the same, with counters read every 8,192 exits",
                        true,
                        pairs(
                                () -> {
                                    ours.run();
                                    if (machine.counted() == 0) {
                                        throw new IllegalStateException("nothing was counted");
                                    }
                                },
                                theirs));
                row(
                        "slow exits asked for, beside not",
                        false,
                        pairs(() -> recording.enable(SLOW_EXIT), ours, () -> recording.disable(SLOW_EXIT), ours));
                recording.disable(SLOW_EXIT);
            }
        }
    }

    private static void warmUp(Runnable ours, Runnable theirs) {
        for (int i = 0; i < WARM_UP; i++) {
            ours.run();
            theirs.run();
        }
    }

    private List<Pair> pairs(Runnable ours, Runnable theirs) {
        return pairs(() -> {}, ours, () -> {}, theirs);
    }

    /** Every other pair begins with the other side, so that neither has the cache of the one before. */
    private List<Pair> pairs(Runnable before, Runnable ours, Runnable beforeTheirs, Runnable theirs) {
        List<Pair> all = new ArrayList<>();
        for (int i = 0; i < pairs; i++) {
            boolean first = i % 2 == 0;
            Cost one = first ? cost(before, ours) : cost(beforeTheirs, theirs);
            Cost other = first ? cost(beforeTheirs, theirs) : cost(before, ours);
            all.add(first ? new Pair(one, other) : new Pair(other, one));
        }
        return all;
    }

    private static Cost cost(Runnable before, Runnable batch) {
        before.run();
        long processor = Workers.processorNanos();
        long from = System.nanoTime();
        batch.run();
        double elapsed = System.nanoTime() - from;
        return new Cost(
                elapsed / CountingDevice.BATCH, (double) (Workers.processorNanos() - processor) / CountingDevice.BATCH);
    }

    private void row(String name, boolean byDefault, List<Pair> measured) {
        var one = new Pairs(name, measured, 0);
        double[] interval = one.interval(Measure.PROCESSOR);
        table.append(String.format(
                Locale.ROOT,
                "| %s | %s | %s | %.4f | %.4f – %.4f | %s | %s |%n",
                name,
                Report.time(one.ours(Measure.PROCESSOR)),
                Report.time(one.theirs(Measure.PROCESSOR)),
                one.ratio(Measure.PROCESSOR),
                interval[0],
                interval[1],
                Report.time(one.difference(Measure.PROCESSOR)),
                byDefault ? String.format(Locale.ROOT, "≤ %.2f %s", AIM, interval[1] <= AIM ? "met" : "missed") : ""));
    }
}
