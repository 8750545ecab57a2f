package io.javisor.jmh;

import io.javisor.api.MemorySize;
import io.javisor.api.NetworkSpec;
import io.javisor.api.VirtualMachine;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/** Guests with the same kernel and RAM disk on the same TAP interface under the same loads, ours and QEMU's in turns. For one thread. */
final class NetRounds {
    /** The interface, which is there already, and the host's address on it. */
    static final String TAP = "netjmh0";

    private static final InetAddress HOST = InetAddress.ofLiteral("198.18.9.1");

    private final Path kernel;
    private final Path initrd;
    private final GuestCosts costs = new GuestCosts();

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
            costs.ours(costs(() -> vm.statistics().exitTotal()));
            System.out.println(vm.network().adapter(0).statistics());
        }
        try (var _ = StockQemu.boot(
                kernel,
                initrd,
                "-netdev",
                "tap,id=net,ifname=" + TAP + ",script=no,downscript=no",
                "-device",
                "virtio-net-pci,netdev=net")) {
            costs.theirs(costs(() -> 0));
        }
    }

    private static List<GuestCosts.Cost> costs(LongSupplier returns) throws IOException {
        List<GuestCosts.Cost> all = new ArrayList<>();
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
                System.out.println(load + ": " + seconds + " s, " + took + ", returns " + returned);
                all.add(GuestCosts.Cost.of(load.name(), load.packets(), seconds, took, returned));
            }
        }
        return all;
    }

    String table() {
        return costs.table("packets");
    }
}
