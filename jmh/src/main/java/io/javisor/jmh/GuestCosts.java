package io.javisor.jmh;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.openjdk.jmh.util.ListStatistics;

/** What loads cost guests, ours and QEMU's, for each request or packet, in several rounds. */
final class GuestCosts {
    /** No more than QEMU on each. */
    private static final double AIM = 1.0;

    /**
     * A load's cost for each request.
     *
     * @param load name of the load
     * @param perSecond requests a second
     * @param all exits to the kernel
     * @param exits those of them that the requests are the reason for
     * @param calls of the host
     * @param interrupts injected
     * @param halts of the processor
     * @param returns of KVM_RUN to the process, which are known of ours only
     */
    record Cost(
            String load,
            double perSecond,
            double all,
            double exits,
            double calls,
            double interrupts,
            double halts,
            double returns) {
        static Cost of(String load, double requests, double seconds, KvmEvents.Sums took, long returns) {
            return new Cost(
                    load,
                    requests / seconds,
                    took.all() / requests,
                    took.exits() / requests,
                    took.calls() / requests,
                    took.interrupts() / requests,
                    took.halts() / requests,
                    returns / requests);
        }
    }

    private final List<Cost> ours = new ArrayList<>();
    private final List<Cost> theirs = new ArrayList<>();

    void ours(List<Cost> round) {
        ours.addAll(round);
    }

    void theirs(List<Cost> round) {
        theirs.addAll(round);
    }

    private static double median(List<Cost> all, String load, ToDoubleFunction<Cost> what) {
        return new ListStatistics(all.stream()
                        .filter(c -> c.load.equals(load))
                        .mapToDouble(what)
                        .toArray())
                .getPercentile(50);
    }

    /** The medians, in the order of the loads. */
    String table(String requests) {
        var text = new StringBuilder();
        text.append("| load | ")
                .append(requests)
                .append(
                        " a second | QEMU | all exits | QEMU | halts | QEMU | exits | QEMU | aim | calls of the host | QEMU"
                                + " | aim | interrupts | QEMU | aim | returns of KVM_RUN |\n");
        text.append("|---").append("|--:".repeat(16)).append("|\n");
        for (String load : ours.stream().map(Cost::load).distinct().toList()) {
            text.append("| ").append(load).append(" |");
            text.append(String.format(
                    Locale.ROOT,
                    " %.0f | %.0f |",
                    median(ours, load, Cost::perSecond),
                    median(theirs, load, Cost::perSecond)));
            for (ToDoubleFunction<Cost> what : List.<ToDoubleFunction<Cost>>of(Cost::all, Cost::halts)) {
                text.append(String.format(
                        Locale.ROOT, " %.3f | %.3f |", median(ours, load, what), median(theirs, load, what)));
            }
            for (ToDoubleFunction<Cost> what :
                    List.<ToDoubleFunction<Cost>>of(Cost::exits, Cost::calls, Cost::interrupts)) {
                double here = median(ours, load, what);
                double there = median(theirs, load, what);
                text.append(String.format(
                        Locale.ROOT,
                        " %.3f | %.3f | %s |",
                        here,
                        there,
                        here <= AIM * there
                                ? "≤ 1 met"
                                : String.format(Locale.ROOT, "≤ 1 missed: %.2f", here / there)));
            }
            text.append(String.format(Locale.ROOT, " %.3f |%n", median(ours, load, Cost::returns)));
        }
        return text.toString();
    }
}
