package io.javisor.jmh;

import io.javisor.api.MemorySize;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.regex.Pattern;
import org.openjdk.jmh.util.ListStatistics;

/** Boots of one kernel, ours and QEMU's in turns, each ended when its /init speaks. For one thread, and one guest at a time. */
final class BootRounds {
    static final String HEAD = """
            | kernel | ours | QEMU | ratio, median (lowest – highest) | aim | returns of KVM_RUN | aim | exits to the kernel | of QEMU |
            |---|--:|--:|--:|--:|--:|--:|--:|--:|
            """;

    private static final String HERE = "javisor: /init runs";
    private static final Pattern SPEAKS = Pattern.compile(HERE, Pattern.LITERAL);
    private static final long MEMORY = MemorySize.mib(512);
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    /** Sum over all VMs; only one is there. */
    private static final Path KERNEL_EXITS = Path.of("/sys/kernel/debug/kvm/exits");

    private static final double TIME_AIM = 0.5;
    private static final int RETURNS_AIM = 400; // of cloud kernels

    /** One boot of each. */
    private record Round(Boot ours, Boot qemu) {
        double ratio() {
            return (double) ours.nanos / qemu.nanos;
        }
    }

    /** What a boot took to /init; returns of KVM_RUN are known of ours only. */
    private record Boot(long nanos, long kernelExits, long returns) {}

    private final String name;
    private final Path kernel;
    private final Path kernelOfQemu;
    private final Path initrd;
    private final List<Round> rounds = new ArrayList<>();

    BootRounds(String name, Path kernel, Path kernelOfQemu, Path initrd) {
        this.name = name;
        this.kernel = kernel;
        this.kernelOfQemu = kernelOfQemu;
        this.initrd = initrd;
    }

    String name() {
        return name;
    }

    void warmUp() {
        ours();
        qemu();
    }

    void round() {
        var round = new Round(ours(), qemu());
        System.out.println(name + ": " + round);
        rounds.add(round);
    }

    private Boot ours() {
        try (VirtualMachine vm = VirtualMachine.builder("boot")
                .memory(MEMORY)
                .linux(l -> l.kernel(kernel).initrd(initrd).commandLine(StockQemu.COMMAND_LINE))
                .build()) {
            long start = System.nanoTime();
            vm.start();
            vm.await(Wait.forConsole(HERE), PATIENCE);
            long nanos = System.nanoTime() - start;
            return new Boot(nanos, kernelExits(), vm.statistics().exitTotal());
        }
    }

    private Boot qemu() {
        long start = System.nanoTime();
        try (var qemu = StockQemu.boot(kernelOfQemu, initrd)) {
            qemu.await(SPEAKS);
            long nanos = System.nanoTime() - start;
            return new Boot(nanos, kernelExits(), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long kernelExits() {
        try {
            return Long.parseLong(Files.readString(KERNEL_EXITS).strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private ListStatistics of(ToDoubleFunction<Round> what) {
        return new ListStatistics(rounds.stream().mapToDouble(what).toArray());
    }

    private double median(ToDoubleFunction<Round> what) {
        return of(what).getPercentile(50);
    }

    String row() {
        ListStatistics ratios = of(Round::ratio);
        double ratio = ratios.getPercentile(50);
        double returns = median(r -> r.ours.returns);
        return String.format(
                Locale.ROOT,
                "| %s | %.1f s | %.1f s | %.2f (%.2f – %.2f) | ≤ %.2f %s | %.0f | %s | %.0f | %.0f |%n",
                name,
                median(r -> r.ours.nanos) / 1e9,
                median(r -> r.qemu.nanos) / 1e9,
                ratio,
                ratios.getMin(),
                ratios.getMax(),
                TIME_AIM,
                ratio <= TIME_AIM ? "met" : "missed",
                returns,
                name.contains("-cloud") ? "≤ " + RETURNS_AIM + (returns <= RETURNS_AIM ? " met" : " missed") : "",
                median(r -> r.ours.kernelExits),
                median(r -> r.qemu.kernelExits));
    }
}
