package io.javisor.jmh;

import io.javisor.api.MemorySize;
import io.javisor.api.NetworkSpec;
import io.javisor.api.VirtualMachine;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.LongSupplier;
import java.util.function.ToDoubleFunction;
import org.openjdk.jmh.util.ListStatistics;

/** Guests with the same kernel and RAM disk on the same TAP interface under the same loads, ours and QEMU's in turns. For one thread. */
final class NetRounds {
    /** The interface, which is there already, and the host's address on it. */
    static final String TAP = "netjmh0";

    private static final InetAddress HOST = InetAddress.ofLiteral("198.18.9.1");
    private static final double AIM = 1.0;

    /** What a load took, for each packet. */
    private record Cost(
            NetLoad load,
            double perSecond,
            double all,
            double exits,
            double calls,
            double interrupts,
            double returns) {}

    private final Path kernel;
    private final Path initrd;
    private final List<Cost> ours = new ArrayList<>();
    private final List<Cost> theirs = new ArrayList<>();

    NetRounds(Path kernel, Path initrd) {
        this.kernel = kernel;
        this.initrd = initrd;
    }

    void round() throws IOException {
        try (VirtualMachine vm = VirtualMachine.builder("net")
                .memory(MemorySize.mib(512))
                .linux(l -> l.kernel(kernel).initrd(initrd).commandLine(StockQemu.COMMAND_LINE))
                .network(NetworkSpec.tap(TAP))
                .build()) {
            vm.start();
            ours.addAll(costs(() -> vm.statistics().exitTotal()));
            System.out.println(vm.network().adapter(0).statistics());
        }
        try (var _ = StockQemu.boot(
                kernel,
                initrd,
                "-netdev",
                "tap,id=net,ifname=" + TAP + ",script=no,downscript=no",
                "-device",
                "virtio-net-pci,netdev=net")) {
            theirs.addAll(costs(() -> 0));
        }
    }

    private static List<Cost> costs(LongSupplier returns) throws IOException {
        List<Cost> all = new ArrayList<>();
        try (var peer = new NetPeer(HOST);
                var events = new KvmEvents()) {
            NetPeer.Guest guest = peer.guest();
            for (NetLoad load : NetLoad.ALL) {
                if (load.equals(NetLoad.ALL.getLast())) {
                    guest.run(NetLoad.LARGE);
                }
                guest.run(load.first());
                KvmEvents.Sums before = events.now();
                long returnsBefore = returns.getAsLong();
                long start = System.nanoTime();
                guest.run(load);
                double seconds = (System.nanoTime() - start) / 1e9;
                long returned = returns.getAsLong() - returnsBefore;
                KvmEvents.Sums took = events.now().since(before);
                double n = load.packets();
                System.out.println(load + ": " + seconds + " s, " + took + ", returns " + returned);
                all.add(new Cost(
                        load,
                        n / seconds,
                        took.all() / n,
                        took.exits() / n,
                        took.calls() / n,
                        took.interrupts() / n,
                        returned / n));
            }
        }
        return all;
    }

    private static double median(List<Cost> all, NetLoad load, ToDoubleFunction<Cost> what) {
        return new ListStatistics(all.stream()
                        .filter(c -> c.load.equals(load))
                        .mapToDouble(what)
                        .toArray())
                .getPercentile(50);
    }

    String table() {
        var text = new StringBuilder();
        text.append(
                "| load | packets a second | QEMU | all exits | QEMU | exits | QEMU | aim | calls of the host | QEMU | aim"
                        + " | interrupts | QEMU | aim | returns of KVM_RUN |\n");
        text.append("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
        for (NetLoad load : NetLoad.ALL) {
            text.append("| ").append(load.name()).append(" |");
            text.append(String.format(
                    Locale.ROOT,
                    " %.0f | %.0f | %.3f | %.3f |",
                    median(ours, load, Cost::perSecond),
                    median(theirs, load, Cost::perSecond),
                    median(ours, load, Cost::all),
                    median(theirs, load, Cost::all)));
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
