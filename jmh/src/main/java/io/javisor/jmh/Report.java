package io.javisor.jmh;

import io.javisor.jmh.Pairs.Measure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The document: a part of it is written anew, the rest stays. */
final class Report {
    private Report() {}

    /** A table of pairs in Markdown. */
    static String table(List<Pairs> all) {
        var text = new StringBuilder();
        text.append(
                "| benchmark | ours | theirs | ratio | 95 % interval | difference | aim | B/op | noise | other |\n");
        text.append("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
        for (Pairs p : all) {
            Measure measure = Aims.measure(p.name());
            Measure other = measure == Measure.ELAPSED ? Measure.PROCESSOR : Measure.ELAPSED;
            double[] interval = p.interval(measure);
            Optional<Double> aim = Aims.of(p.name());
            String verdict = aim.map(
                            a -> String.format(Locale.ROOT, "≤ %.2f %s", a, interval[1] <= a ? "met" : "missed"))
                    .orElse("");
            text.append(String.format(
                    Locale.ROOT,
                    "| %s | %s | %s | %.3f | %.3f – %.3f | %s | %s | %s | %.1f %% | %.2f |%n",
                    p.name(),
                    time(p.ours(measure)),
                    time(p.theirs(measure)),
                    p.ratio(measure),
                    interval[0],
                    interval[1],
                    time(p.difference(measure)),
                    verdict,
                    bytes(p.bytes()),
                    100 * p.noise(measure),
                    p.ratio(other)));
        }
        return text.toString();
    }

    static String time(double nanos) {
        double size = Math.abs(nanos);
        if (size >= 1e6) {
            return String.format(Locale.ROOT, "%.2f ms", nanos / 1e6);
        }
        if (size >= 1e4) {
            return String.format(Locale.ROOT, "%.2f µs", nanos / 1e3);
        }
        return String.format(Locale.ROOT, size >= 100 ? "%.0f ns" : "%.2f ns", nanos);
    }

    /** Less than half a byte is what an iteration's beginning and end cost, divided by its operations. */
    private static String bytes(double perOperation) {
        return perOperation < 0.5 ? "0" : String.format(Locale.ROOT, "%.0f", perOperation);
    }

    /** Replaces what stands between a part's two markers. */
    static void replace(Path document, String part, String content) throws IOException {
        String begin = "<!-- " + part + ": written by jmh/compare -->";
        String end = "<!-- end of " + part + " -->";
        String text = Files.readString(document);
        int from = text.indexOf(begin);
        int to = text.indexOf(end);
        if (from < 0 || to < from) {
            throw new IOException(document + " lacks the lines " + begin + " and " + end);
        }
        Files.writeString(
                document, text.substring(0, from + begin.length()) + "\n\n" + content + "\n" + text.substring(to));
    }
}
