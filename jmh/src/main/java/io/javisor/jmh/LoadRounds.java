package io.javisor.jmh;

import io.javisor.api.MachineBuilder;
import io.javisor.api.MemorySize;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Guests with the same kernel, RAM disk and perhaps disk, that say on the console which load begins and which has ended, ours and QEMU's
 * in turns. For one thread, one guest at a time.
 */
final class LoadRounds {
    private static final Duration PATIENCE = Duration.ofMinutes(4);
    private static final Pattern ENDS = Pattern.compile("load (\\w+) (\\d+) ends: (\\d+) requests, (\\d+) a second");

    /** What the console says, and what has been counted. */
    private interface Guest {
        /** Waits for a text and returns all that was said until then. */
        String await(String text) throws IOException;

        long returns();
    }

    private final Path kernel;
    private final Path initrd;
    private final @Nullable Path disk;
    private final List<String> loads;
    private final GuestCosts costs = new GuestCosts();

    /**
     * Of a comparison.
     *
     * @param loads two words each, in the guest's order
     */
    LoadRounds(LabGuest.Images images, @Nullable Path disk, List<String> loads) {
        this.kernel = images.kernel();
        this.initrd = images.initrd();
        this.disk = disk;
        this.loads = List.copyOf(loads);
    }

    void round() throws IOException {
        costs.ours(ours());
        costs.theirs(qemu());
    }

    private List<GuestCosts.Cost> measure(Guest guest) throws IOException {
        List<GuestCosts.Cost> all = new ArrayList<>();
        try (var events = new KvmEvents()) {
            for (String name : loads) {
                guest.await("load " + name + " begins");
                KvmEvents.Sums before = events.now();
                long returnsBefore = guest.returns();
                String said = guest.await("load " + name + " ends:");
                KvmEvents.Sums took = events.now().since(before);
                long returned = guest.returns() - returnsBefore;
                Matcher end = ENDS.matcher(said);
                boolean found = false;
                while (!found && end.find()) {
                    found = name.equals(end.group(1) + " " + end.group(2));
                }
                if (!found || end.group(4).equals("0")) {
                    throw new IllegalStateException("no result of " + name + " in what the guest said: " + said);
                }
                double requests = Double.parseDouble(end.group(3));
                System.out.println(name + ": " + end.group() + ", " + took + ", returns " + returned);
                all.add(GuestCosts.Cost.of(
                        name, requests, requests / Double.parseDouble(end.group(4)), took, returned));
            }
        }
        return all;
    }

    private List<GuestCosts.Cost> ours() throws IOException {
        MachineBuilder machine = VirtualMachine.builder("loaded")
                .memory(MemorySize.mib(512))
                .linux(l -> l.kernel(kernel).initrd(initrd).commandLine(StockQemu.COMMAND_LINE));
        if (disk != null) {
            machine.disk(disk);
        }
        try (VirtualMachine vm = machine.build()) {
            vm.start();
            return measure(new Guest() {
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

    private List<GuestCosts.Cost> qemu() throws IOException {
        String[] devices = disk == null
                ? new String[0]
                : new String[] {
                    "-drive", "if=none,id=disk,format=raw,file=" + disk, "-device", "virtio-blk-pci,drive=disk"
                };
        try (var qemu = StockQemu.boot(kernel, initrd, devices)) {
            return measure(new Guest() {
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

    /**
     * The medians.
     *
     * @param requests what is counted, in the plural
     */
    String table(String requests) {
        return costs.table(requests);
    }
}
