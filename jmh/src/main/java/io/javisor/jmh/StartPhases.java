package io.javisor.jmh;

import io.javisor.api.MachineSpec;
import io.javisor.api.MachineTemplate;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/**
 * Where the time goes from a machine's description to its guest's first output, part by part, as the machines themselves record it: made
 * from a description, and from a template, in turns. The kernel is an ELF file of 16 MiB. {@code StartPhases [MACHINES]}, 300 of each
 * without an argument.
 */
public final class StartPhases {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final List<String> PARTS = List.of("FILES", "MEMORY", "PARTITION", "DEVICES", "LOAD", "RUN");
    private static final String WHOLE = "all";
    private static final String GUEST = "guest";

    /** Nanoseconds of each machine, by part. */
    private final Map<String, List<Double>> times = new TreeMap<>();

    /** Runs it. */
    public static void main(String[] arguments) throws IOException {
        int machines = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 300;
        String host = HostDescription.text();
        var described = new StartPhases();
        var templated = new StartPhases();
        try (var kernel = new DotKernel()) {
            MachineSpec spec = kernel.machine().spec();
            MachineTemplate template = VirtualMachine.template(spec);
            for (int i = 0; i < machines; i++) { // for the compilers
                described.life(() -> VirtualMachine.create(spec));
                templated.life(() -> template.create("benchmark"));
            }
            described.times.clear();
            templated.times.clear();
            for (int i = 0; i < machines; i++) {
                described.recorded(() -> VirtualMachine.create(spec));
                templated.recorded(() -> template.create("benchmark"));
            }
        }
        var table = new StringBuilder("| part | from a description | from a template |\n|---|--:|--:|\n");
        List<String> rows = new ArrayList<>(PARTS);
        rows.add(GUEST);
        rows.add(WHOLE);
        for (String row : rows) {
            table.append(String.format(
                    Locale.ROOT, "| %s | %s | %s |%n", row, described.median(row), templated.median(row)));
        }
        System.out.println(table);
        String document = System.getProperty("javisor.jmh.document", "");
        if (!document.isEmpty()) {
            Report.replace(Path.of(document), "start", host + "; medians of " + machines + " each.\n\n" + table);
        }
    }

    private void recorded(Supplier<VirtualMachine> made) throws IOException {
        Path file = Files.createTempFile("javisor-jmh-", ".jfr");
        try (var recording = new Recording()) {
            recording.enable("io.javisor.StartPhase");
            recording.start();
            life(made);
            recording.stop();
            recording.dump(file);
            var parts = new TreeMap<String, Double>();
            for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
                if (event.getEventType().getName().equals("io.javisor.StartPhase")) {
                    parts.merge(
                            event.getString("part"),
                            (double) event.getDuration().toNanos(),
                            Double::sum);
                }
            }
            parts.forEach(this::add);
        } finally {
            Files.delete(file);
        }
    }

    private void life(Supplier<VirtualMachine> made) {
        long from = System.nanoTime();
        try (VirtualMachine vm = made.get()) {
            vm.start();
            long started = System.nanoTime();
            while (vm.console().written() == 0) {
                Thread.onSpinWait();
            }
            long first = System.nanoTime();
            add(GUEST, (double) (first - started));
            add(WHOLE, (double) (first - from));
            vm.await(Wait.forConsole("."), PATIENCE);
        }
    }

    private void add(String part, double nanos) {
        times.computeIfAbsent(part, _ -> new ArrayList<>()).add(nanos);
    }

    private String median(String part) {
        List<Double> all = times.getOrDefault(part, List.of());
        if (all.isEmpty()) {
            return "";
        }
        double[] sorted = all.stream().mapToDouble(d -> d).sorted().toArray();
        return Report.time((sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2);
    }
}
