package io.javisor.memory.simulation;

import io.javisor.memory.balancer.BalancingPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A table of what days were like under several policies, as text for a document. */
public final class SimulationReport {
    private static final String BEGIN = "<!-- simulation: written by javisor memory simulate -->";
    private static final String END = "<!-- end of simulation -->";

    private SimulationReport() {}

    /** The policies that are there, by name: weighted, proportional, none. */
    public static Map<String, BalancingPolicy> policies() {
        var all = new LinkedHashMap<String, BalancingPolicy>();
        all.put("weighted", BalancingPolicy.weightedFair());
        all.put("proportional", BalancingPolicy.proportional());
        all.put("none", BalancingPolicy.none());
        return all;
    }

    /** Lives through all days under all policies. The same input gives the same text. */
    public static String table(List<Simulation> days, Map<String, BalancingPolicy> policies) {
        var text = new StringBuilder();
        for (Simulation day : days) {
            text.append(String.format(
                    Locale.ROOT,
                    "### %s%n%n%,d machines, %.1f hours, a round every %d s, %,d GiB between them; demand: %s.%n%n",
                    day.label(),
                    day.machines(),
                    day.seconds() / 3600.0,
                    day.period(),
                    day.hostBytes() >> 30,
                    String.join(
                            "; ",
                            day.workloads().stream()
                                    .map(Demand::source)
                                    .distinct()
                                    .toList())));
            text.append("| policy | shortfall % | by weight 1000 / 5000 / 9000 | waste % of the host | moved TiB |"
                    + " reversals a machine and hour | overcommitted s |\n|---|--:|--:|--:|--:|--:|--:|\n");
            policies.forEach((name, policy) -> text.append(row(day.run(name, policy))));
            text.append('\n');
        }
        return text.toString();
    }

    private static String row(Simulation.Report r) {
        List<Double> w = r.shortfallByWeight();
        return String.format(
                Locale.ROOT,
                "| %s | %.3f | %.3f / %.3f / %.3f | %.2f | %.2f | %.2f | %d |%n",
                r.policy(),
                r.shortfall(),
                w.get(0),
                w.get(1),
                w.get(2),
                r.waste(),
                (double) r.moved() / (1L << 40),
                r.reversals(),
                r.overcommitted());
    }

    /**
     * Puts a table between the document's marks.
     *
     * @throws IOException if the file can't be read or written, or has no marks
     */
    public static void write(Path document, String table) throws IOException {
        String text = Files.readString(document);
        int begin = text.indexOf(BEGIN);
        int end = text.indexOf(END);
        if (begin < 0 || end < begin) {
            throw new IOException(document + " has no lines \"" + BEGIN + "\" and \"" + END + "\"");
        }
        Files.writeString(document, text.substring(0, begin + BEGIN.length()) + "\n\n" + table + text.substring(end));
    }
}
