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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.openjdk.jmh.util.ListStatistics;

/** Guests with the same kernel, RAM disk and disk under the same load, ours and QEMU's in turns. For one thread, one guest at a time. */
final class DiskRounds {
    private static final Duration PATIENCE = Duration.ofMinutes(4);
    private static final Pattern ENDS = Pattern.compile("load (\\w+) (\\d+) ends: (\\d+) requests, (\\d+) a second");
    /** Sums over all VMs; only one is there. */
    private static final Path COUNTERS = Path.of("/sys/kernel/debug/kvm");

    private static final List<String> LOADS = List.of("randread 1", "randwrite 1", "randread 32", "randwrite 32");

    /** KVM's counters, and returns of KVM_RUN, which are known of ours only. */
    private record Counts(long exits, long kicks, long interrupts, long halts, long returns) {
        static Counts now(long returns) {
            return new Counts(
                    counter("exits"),
                    counter("hypercalls") + counter("io_exits") + counter("mmio_exits"),
                    counter("irq_injections"),
                    counter("halt_exits"),
                    returns);
        }

        private static long counter(String name) {
            try {
                return Long.parseLong(Files.readString(COUNTERS.resolve(name)).strip());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** What a load took, for each request. */
    private record Load(
            String name,
            double perSecond,
            double exits,
            double kicks,
            double interrupts,
            double halts,
            double returns) {
        static Load of(String name, Matcher end, Counts before, Counts after) {
            double n = Double.parseDouble(end.group(3));
            return new Load(
                    name,
                    Double.parseDouble(end.group(4)),
                    (after.exits - before.exits) / n,
                    (after.kicks - before.kicks) / n,
                    (after.interrupts - before.interrupts) / n,
                    (after.halts - before.halts) / n,
                    (after.returns - before.returns) / n);
        }
    }

    /** What the console says, and what has been counted. */
    private interface Guest {
        /** Waits for a text and returns all that was said until then. */
        String await(String text) throws IOException;

        long returns();
    }

    private final Path kernel;
    private final Path initrd;
    private final Path disk;
    private final List<Load> ours = new ArrayList<>();
    private final List<Load> theirs = new ArrayList<>();

    DiskRounds(Path kernel, Path initrd, Path disk) {
        this.kernel = kernel;
        this.initrd = initrd;
        this.disk = disk;
    }

    void round() throws IOException {
        ours.addAll(ours());
        theirs.addAll(qemu());
    }

    private static List<Load> loads(Guest guest) throws IOException {
        List<Load> all = new ArrayList<>();
        for (String name : LOADS) {
            guest.await("load " + name + " begins");
            Counts before = Counts.now(guest.returns());
            String said = guest.await("load " + name + " ends:");
            Counts after = Counts.now(guest.returns());
            Matcher end = ENDS.matcher(said);
            boolean found = false;
            while (!found && end.find()) {
                found = name.equals(end.group(1) + " " + end.group(2));
            }
            if (!found || end.group(4).equals("0")) {
                throw new IllegalStateException("no result of " + name + " in what the guest said: " + said);
            }
            Load load = Load.of(name, end, before, after);
            System.out.println(load);
            all.add(load);
        }
        return all;
    }

    private List<Load> ours() throws IOException {
        try (VirtualMachine vm = VirtualMachine.builder("disks")
                .memory(MemorySize.mib(512))
                .linux(l -> l.kernel(kernel).initrd(initrd).commandLine(StockQemu.COMMAND_LINE))
                .disk(disk)
                .build()) {
            vm.start();
            return loads(new Guest() {
                @Override
                public String await(String text) {
                    vm.await(Wait.forConsole(lineWith(text)), PATIENCE);
                    return vm.console().tail(200);
                }

                @Override
                public long returns() {
                    return vm.statistics().exitTotal();
                }
            });
        }
    }

    private List<Load> qemu() throws IOException {
        try (var qemu = StockQemu.boot(
                kernel,
                initrd,
                "-drive",
                "if=none,id=disk,format=raw,file=" + disk,
                "-device",
                "virtio-blk-pci,drive=disk")) {
            return loads(new Guest() {
                @Override
                public String await(String text) throws IOException {
                    return qemu.await(lineWith(text));
                }

                @Override
                public long returns() {
                    return 0;
                }
            });
        }
    }

    /** A whole one. */
    private static Pattern lineWith(String text) {
        return Pattern.compile(Pattern.quote(text) + "[^\\n]*\\n");
    }

    private static double median(List<Load> all, String name, ToDoubleFunction<Load> what) {
        return new ListStatistics(all.stream()
                        .filter(l -> l.name.equals(name))
                        .mapToDouble(what)
                        .toArray())
                .getPercentile(50);
    }

    String table() {
        var text = new StringBuilder();
        text.append(
                "| load | requests a second | QEMU | exits | QEMU | to the host | QEMU | interrupts | QEMU | halts | QEMU |"
                        + " returns of KVM_RUN |\n");
        text.append("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
        for (String name : LOADS) {
            text.append("| ").append(name).append(" |");
            text.append(String.format(
                    Locale.ROOT,
                    " %.0f | %.0f |",
                    median(ours, name, Load::perSecond),
                    median(theirs, name, Load::perSecond)));
            for (ToDoubleFunction<Load> what :
                    List.<ToDoubleFunction<Load>>of(Load::exits, Load::kicks, Load::interrupts, Load::halts)) {
                text.append(String.format(
                        Locale.ROOT, " %.2f | %.2f |", median(ours, name, what), median(theirs, name, what)));
            }
            text.append(String.format(Locale.ROOT, " %.2f |%n", median(ours, name, Load::returns)));
        }
        return text.toString();
    }
}
