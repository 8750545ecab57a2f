package io.javisor.jmh;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** Ours and C's machines side by side: medians over the rounds, and the median of the rounds' ratios. */
final class DensityTable {
    private static final double START = 1.10;
    private static final double CLOSE = 1.20;
    private static final double MEMORY = 1.10;
    private static final double HEAP_KIB = 64;

    /** The least that all machines together do in a second, of what two do. */
    private static final double RATE = 0.8;

    private final StringBuilder text =
            new StringBuilder("| machines | | ours | C | ratio | aim |\n|---|---|--:|--:|--:|---|\n");

    void add(String size, boolean atOnce, List<DensityCost> ours, List<DensityCost> theirs) {
        double start = times(size, "first output", ours, theirs, DensityCost::start);
        end(aim("≤", START, start <= START));
        if (atOnce) {
            times(size, "a wake, of two", ours, theirs, DensityCost::two);
            end("");
            times(size, "a wake, of all", ours, theirs, DensityCost::all);
            end("");
            double kept = median(ours, c -> c.two() / c.all());
            double keptByC = median(theirs, c -> c.two() / c.all());
            row(size, "wakes a second with all, of those with two", number(kept), number(keptByC), "");
            end(aim("≥", RATE, kept >= RATE));
        }
        double close = times(size, "close", ours, theirs, DensityCost::close);
        end(aim("≤", CLOSE, close <= CLOSE));
        if (atOnce) {
            memory(size, ours, theirs);
        }
    }

    private void memory(String size, List<DensityCost> ours, List<DensityCost> theirs) {
        double resident = median(ours, DensityCost::resident);
        double heap = median(ours, DensityCost::heap);
        double other = median(theirs, DensityCost::resident);
        row(size, "resident without Java's heap", kib(resident), kib(other), number(resident / other));
        end("");
        row(size, "Java heap", kib(heap), "", "");
        end("");
        double most = MEMORY * other + HEAP_KIB;
        row(size, "resident", kib(resident + heap), kib(other), number((resident + heap) / other));
        end(String.format(
                Locale.ROOT,
                "≤ %.2f × C + %.0f KiB = %.0f KiB %s",
                MEMORY,
                HEAP_KIB,
                most,
                resident + heap <= most ? "met" : "missed"));
    }

    private double times(
            String size,
            String what,
            List<DensityCost> ours,
            List<DensityCost> theirs,
            ToDoubleFunction<DensityCost> time) {
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < ours.size(); i++) {
            ratios.add(time.applyAsDouble(ours.get(i)) / time.applyAsDouble(theirs.get(i)));
        }
        double ratio = median(ratios);
        row(size, what, Report.time(median(ours, time)), Report.time(median(theirs, time)), number(ratio));
        return ratio;
    }

    private void row(String size, String what, String ours, String other, String ratio) {
        text.append(String.format("| %s | %s | %s | %s | %s | ", size, what, ours, other, ratio));
    }

    private void end(String aim) {
        text.append(aim).append(" |\n");
    }

    private static String aim(String how, double limit, boolean met) {
        return String.format(Locale.ROOT, "%s %.2f %s", how, limit, met ? "met" : "missed");
    }

    private static String number(double n) {
        return String.format(Locale.ROOT, "%.2f", n);
    }

    private static String kib(double n) {
        return String.format(Locale.ROOT, "%.1f KiB", n);
    }

    private static double median(List<DensityCost> of, ToDoubleFunction<DensityCost> what) {
        return median(of.stream().mapToDouble(what).boxed().toList());
    }

    private static double median(List<Double> of) {
        double[] sorted = of.stream().mapToDouble(d -> d).sorted().toArray();
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
