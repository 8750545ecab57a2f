package io.javisor.jmh;

import io.javisor.boot.debian.DebianKernel;
import io.javisor.boot.debian.DebianPackages;
import io.javisor.boot.image.BusyboxInit;
import io.javisor.boot.image.KernelModule;
import io.javisor.boot.image.KernelModules;
import io.javisor.storage.disk.ImageFormat;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What disks cost a guest, beside QEMU: the program behind {@code jmh/compare-lab disks}. It is run three times with the same
 * folder: {@code prepare} outside the lab fetches a kernel and builds an initial RAM disk with fio, {@code run} in the lab boots it
 * in turns over hv_storvsc and over QEMU's virtio-blk, {@code document} outside again writes the table.
 */
public final class DiskComparison {
    private static final String KERNEL = "6.1-cloud";
    private static final List<String> MODULES = List.of("sd_mod", "virtio_pci", "virtio_blk");
    private static final String NAMES = "disk-kernel";
    private static final String INITRD = "disk-initrd";
    private static final String TABLE = "disks.md";

    private DiskComparison() {}

    /** Runs a step: its name, the folder, and what the step takes besides. */
    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[1]);
        switch (arguments[0]) {
            case "prepare" -> prepare(folder);
            case "run" -> run(folder, Integer.parseInt(arguments[2]));
            case "document" ->
                Report.replace(Path.of(arguments[2]), "lab disks", Files.readString(folder.resolve(TABLE)));
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static void prepare(Path folder) throws IOException {
        DebianPackages packages = DebianPackages.open();
        DebianKernel kernel = packages.kernel(KERNEL);
        Files.writeString(folder.resolve(NAMES), kernel.image().toString());
        KernelModules modules = KernelModules.open(kernel.modulesFolder());
        Set<KernelModule> all = new LinkedHashSet<>(modules.forGuest()); // both need scsi_mod
        all.addAll(modules.resolve(MODULES));
        Path fio = packages.unpack("fio");
        Path initrd = folder.resolve(INITRD);
        Files.deleteIfExists(initrd);
        BusyboxInit.of(b -> b.busybox(packages.busybox())
                        .modules(List.copyOf(all))
                        .init("sh /load.sh")
                        .files(f -> FioFiles.of(fio).addTo(f.file("/load.sh", script()))))
                .initramfs()
                .writeTo(initrd);
    }

    private static byte[] script() {
        try (InputStream in = DiskComparison.class.getResourceAsStream("load.sh")) {
            if (in == null) {
                throw new IllegalStateException("not in this jar: load.sh");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void run(Path folder, int rounds) throws IOException {
        // In the lab's memory, so that neither side waits for the file system that the lab shares with its host.
        Path memory = Files.createTempDirectory(Path.of("/dev/shm"), "disks-");
        Path kernel = Files.copy(Path.of(Files.readString(folder.resolve(NAMES)).strip()), memory.resolve("kernel"));
        Path initrd = Files.copy(folder.resolve(INITRD), memory.resolve("initrd"));
        var all = new DiskRounds(kernel, initrd, DiskFiles.image(ImageFormat.RAW, "lab"));
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
