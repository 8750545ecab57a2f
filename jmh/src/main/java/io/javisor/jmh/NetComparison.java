package io.javisor.jmh;

import io.javisor.boot.debian.DebianKernel;
import io.javisor.boot.debian.DebianPackages;
import io.javisor.boot.image.BusyboxInit;
import io.javisor.boot.image.KernelModule;
import io.javisor.boot.image.KernelModules;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
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
    private static final String NAMES = "net-kernel";
    private static final String INITRD = "net-initrd";
    private static final String TABLE = "net.md";

    private NetComparison() {}

    /** Runs a step: its name, the folder, and what the step takes besides. */
    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[1]);
        switch (arguments[0]) {
            case "prepare" -> prepare(folder, Path.of(arguments[2]));
            case "run" -> run(folder, Integer.parseInt(arguments[2]));
            case "document" ->
                Report.replace(Path.of(arguments[2]), "lab net", Files.readString(folder.resolve(TABLE)));
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static void prepare(Path folder, Path program) throws IOException {
        DebianPackages packages = DebianPackages.open();
        DebianKernel kernel = packages.kernel(KERNEL);
        Files.writeString(folder.resolve(NAMES), kernel.image().toString());
        KernelModules modules = KernelModules.open(kernel.modulesFolder());
        List<KernelModule> all = new ArrayList<>(modules.forGuest());
        all.addAll(modules.resolve(MODULES));
        Path initrd = folder.resolve(INITRD);
        Files.deleteIfExists(initrd);
        BusyboxInit.of(b -> b.busybox(packages.busybox())
                        .modules(all)
                        .init("sh /net.sh")
                        .files(f -> f.file("/net.sh", script()).executable("/bin/net", program)))
                .initramfs()
                .writeTo(initrd);
    }

    private static byte[] script() {
        try (InputStream in = NetComparison.class.getResourceAsStream("net.sh")) {
            if (in == null) {
                throw new IllegalStateException("not in this jar: net.sh");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void run(Path folder, int rounds) throws IOException {
        // In the lab's memory, so that neither side waits for the file system that the lab shares with its host.
        Path memory = Files.createTempDirectory(Path.of("/dev/shm"), "net-");
        Path kernel = Files.copy(Path.of(Files.readString(folder.resolve(NAMES)).strip()), memory.resolve("kernel"));
        Path initrd = Files.copy(folder.resolve(INITRD), memory.resolve("initrd"));
        ToolPeer.run(List.of(
                "sh",
                "-ec",
                "modprobe tun; ip tuntap add dev " + NetRounds.TAP + " mode tap; ip addr add 198.18.9.1/24 dev "
                        + NetRounds.TAP + "; ip link set " + NetRounds.TAP + " up"));
        var all = new NetRounds(kernel, initrd);
        for (int i = 0; i < rounds; i++) {
            all.round();
        }
        String table = all.table();
        System.out.print(table);
        Files.writeString(
                folder.resolve(TABLE),
                HostDescription.text() + "; " + rounds + " rounds.\n\n" + table,
                StandardCharsets.UTF_8);
    }
}
