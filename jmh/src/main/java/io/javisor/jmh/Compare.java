package io.javisor.jmh;

import io.javisor.kvm.Capability;
import io.javisor.kvm.Kvm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Runs benchmarks and their peers in turns and writes the comparison. Arguments are JMH's, above all patterns of benchmarks'
 * names; with no pattern all run.
 */
public final class Compare {
    private Compare() {}

    /** Runs it. */
    public static void main(String[] arguments) throws RunnerException, CommandLineOptionException, IOException {
        String host = HostDescription.text();
        var given = new CommandLineOptions(arguments);
        ChainedOptionsBuilder options = new OptionsBuilder()
                .parent(given)
                .exclude("^io\\.javisor\\.jmh\\.alone\\.")
                .shouldFailOnError(true)
                .jvmArgsAppend(
                        "-XX:+UseSerialGC",
                        // Compiled when it is hot, and not when a busy machine gets to it.
                        "-XX:-BackgroundCompilation",
                        "--enable-native-access=ALL-UNNAMED",
                        "-D" + PeerProfiler.PROGRAM + "=" + System.getProperty(PeerProfiler.PROGRAM))
                .addProfiler(GCProfiler.class)
                .addProfiler(PeerProfiler.class);
        if (!hasSignals()) {
            System.out.println(
                    "Signals are left out: this KVM has no Hyper-V enlightenments; jmh/compare-lab tries them");
            options.exclude("^io\\.javisor\\.jmh\\.Signals\\.");
        }
        String part = System.getProperty("javisor.jmh.part", "native");
        if (!part.equals("disks")) {
            options.exclude(
                    "^io\\.javisor\\.jmh\\.(Scsi|FibreChannel|Vhdx)\\w+\\."); // they need tools: jmh/compare-disks
        }
        List<Pairs> all = new ArrayList<>();
        for (RunResult result : new Runner(options.build()).run()) {
            all.add(Pairs.of(result));
        }
        all.sort(Comparator.comparing(Pairs::name));
        String table = Report.table(all);
        System.out.println(table);
        String document = System.getProperty("javisor.jmh.document", "");
        if (!document.isEmpty()) {
            int pairs = all.stream().mapToInt(p -> p.pairs().size()).min().orElse(0);
            Report.replace(Path.of(document), part, host + "; " + pairs + " pairs of each.\n\n" + table);
        }
    }

    private static boolean hasSignals() {
        try (Kvm kvm = Kvm.open()) {
            return kvm.has(Capability.HYPERV_EVENTFD) && kvm.has(Capability.HYPERV_SYNIC2);
        }
    }
}
