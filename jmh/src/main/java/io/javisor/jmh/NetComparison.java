package io.javisor.jmh;

import io.javisor.boot.debian.DebianKernel;
import io.javisor.boot.debian.DebianPackages;
import io.javisor.boot.image.BusyboxInit;
import io.javisor.boot.image.KernelModule;
import io.javisor.boot.image.KernelModules;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What packets cost a guest, beside QEMU: the program behind {@code jmh/compare-lab net}. It is run three times with the same folder:
 * {@code prepare} outside the lab fetches a kernel and builds an initial RAM disk, {@code run} in the lab boots it in turns over
 * hv_netvsc and over QEMU's virtio-net, {@code document} outside again writes the table.
 */
public final class NetComparison {
    private static final String KERNEL = "6.1-cloud";
    private static final List<String> MODULES = List.of("virtio_pci", "virtio_net");

    private NetComparison() {}

    /** Runs a step: its name, the folder, and what the step takes besides. */
    public static void main(String[] arguments) throws IOException {
        var guest = new LabGuest(Path.of(arguments[1]), "net");
        switch (arguments[0]) {
            case "prepare" -> prepare(guest, Path.of(arguments[2]));
            case "run" -> run(guest, Integer.parseInt(arguments[2]));
            case "document" -> guest.document(Path.of(arguments[2]), "lab net");
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static void prepare(LabGuest guest, Path program) throws IOException {
        DebianPackages packages = DebianPackages.open();
        DebianKernel kernel = packages.kernel(KERNEL);
        guest.prepare(kernel);
        KernelModules modules = KernelModules.open(kernel.modulesFolder());
        List<KernelModule> all = new ArrayList<>(modules.forGuest());
        all.addAll(modules.resolve(MODULES));
        BusyboxInit.of(b -> b.busybox(packages.busybox())
                        .modules(all)
                        .init("sh /net.sh")
                        .files(f ->
                                f.file("/net.sh", LabGuest.resource("net.sh")).executable("/bin/net", program)))
                .initramfs()
                .writeTo(guest.initrd());
    }

    private static void run(LabGuest guest, int rounds) throws IOException {
        LabGuest.Images images = guest.inMemory();
        ToolPeer.run(List.of(
                "sh",
                "-ec",
                "modprobe tun; ip tuntap add dev " + NetRounds.TAP + " mode tap; ip addr add 198.18.9.1/24 dev "
                        + NetRounds.TAP + "; ip link set " + NetRounds.TAP + " up"));
        var all = new NetRounds(images.kernel(), images.initrd());
        for (int i = 0; i < rounds; i++) {
            all.round();
        }
        guest.ended(all.table(), rounds);
    }
}
