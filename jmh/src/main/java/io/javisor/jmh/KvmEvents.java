package io.javisor.jmh;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What KVM counts of the one guest that runs: its own counters, and events of the kernel's that histograms gather (Linux:
 * Documentation/trace/histogram.rst). An access that an ioeventfd takes is in the second only. Needs root, debugfs and tracefs.
 */
final class KvmEvents implements AutoCloseable {
    /** Sums over all VMs. */
    private static final Path COUNTERS = Path.of("/sys/kernel/debug/kvm");

    private static final Path EVENTS = Path.of("/sys/kernel/debug/tracing/events/kvm");

    /** What is gathered, by which of its fields. */
    private static final Map<String, String> GATHERED = Map.of(
            "kvm_exit",
            "exit_reason.hex",
            "kvm_msr",
            "ecx.hex",
            "kvm_inj_virq",
            "vector.hex",
            "kvm_mmio",
            "gpa.hex",
            "kvm_pio",
            "port.hex",
            "kvm_hv_hypercall",
            "code.hex",
            "kvm_hypercall",
            "nr.hex");

    /** Events that tell the host nothing. */
    private static final Set<String> OF_THE_GUEST_ALONE = Set.of("kvm_exit", "kvm_msr", "kvm_inj_virq");

    /** Why a processor of AMD's leaves the guest when the host itself is interrupted (SVM: VMEXIT_INTR). */
    private static final String HOST_INTERRUPTED = "60";

    /** Registers of timers, and of the ends of interrupts: Hyper-V's STIMER0_COUNT and EOI, TSC_DEADLINE, the x2APIC's EOI. */
    private static final Set<String> TIMERS_AND_ENDS = Set.of("400000b1", "40000070", "6e0", "80b");

    /** Vectors of Linux's timers: the APIC's, and Hyper-V's. */
    private static final Set<String> TIMERS = Set.of("ec", "ed");

    private static final Pattern LINE = Pattern.compile("\\{ \\w+: +([0-9a-fA-Fx]+) *} hitcount: +(\\d+)");

    /** Where processors have their local APIC: no device of the host's. */
    private static final long APIC = 0xFEE0_0000L;

    private static final long APIC_BYTES = 0x1000;

    /**
     * Sums since it was opened, or differences of them.
     *
     * @param all exits to the kernel
     * @param exits without those for which the host's interrupts, timers and ends of interrupts are the reason
     * @param calls of the host: hypercalls, accesses to ports and to devices' memory
     * @param interrupts injected, without those of timers
     * @param halts of the processor
     * @param reasons exits by their reason as the processor has it, in hexadecimal; accesses to model-specific registers, and vectors
     */
    record Sums(long all, long exits, long calls, long interrupts, long halts, Map<String, Long> reasons) {
        Sums since(Sums before) {
            var differences = new TreeMap<String, Long>();
            reasons.forEach((reason, n) -> differences.put(reason, n - before.reasons.getOrDefault(reason, 0L)));
            differences.values().removeIf(n -> n == 0);
            return new Sums(
                    all - before.all,
                    exits - before.exits,
                    calls - before.calls,
                    interrupts - before.interrupts,
                    halts - before.halts,
                    differences);
        }
    }

    KvmEvents() {
        GATHERED.forEach((event, field) -> write(event, "hist:keys=" + field + ":size=4096"));
    }

    Sums now() {
        long calls = 0;
        for (String event : GATHERED.keySet()) {
            for (var entry : histogram(event).entrySet()) {
                long key = Long.parseUnsignedLong(entry.getKey(), 16);
                boolean apic = event.equals("kvm_mmio") && key >= APIC && key < APIC + APIC_BYTES;
                if (!OF_THE_GUEST_ALONE.contains(event) && !apic) {
                    calls += entry.getValue();
                }
            }
        }
        Map<String, Long> reasons = histogram("kvm_exit");
        Map<String, Long> registers = histogram("kvm_msr");
        Map<String, Long> vectors = histogram("kvm_inj_virq");
        long all = counter("exits");
        long exits = all - reasons.getOrDefault(HOST_INTERRUPTED, 0L) - sum(registers, TIMERS_AND_ENDS::contains);
        long interrupts = sum(vectors, vector -> !TIMERS.contains(vector));
        registers.forEach((register, n) -> reasons.put("msr " + register, n));
        vectors.forEach((vector, n) -> reasons.put("vector " + vector, n));
        return new Sums(all, exits, calls, interrupts, counter("halt_exits"), reasons);
    }

    private static long sum(Map<String, Long> of, Predicate<String> which) {
        return of.entrySet().stream()
                .filter(entry -> which.test(entry.getKey()))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    private static long counter(String name) {
        return Long.parseLong(read(COUNTERS.resolve(name)).strip());
    }

    private static Map<String, Long> histogram(String event) {
        var found = new TreeMap<String, Long>();
        Matcher line = LINE.matcher(read(EVENTS.resolve(event).resolve("hist")));
        while (line.find()) {
            found.put(line.group(1).replaceFirst("^0x", ""), Long.parseLong(line.group(2)));
        }
        return found;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void write(String event, String trigger) {
        try {
            Files.writeString(EVENTS.resolve(event).resolve("trigger"), trigger);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        GATHERED.forEach((event, field) -> write(event, "!hist:keys=" + field + ":size=4096"));
    }
}
