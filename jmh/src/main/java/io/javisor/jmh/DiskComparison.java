package io.javisor.jmh;

import io.javisor.boot.debian.DebianKernel;
import io.javisor.boot.debian.DebianPackages;
import io.javisor.boot.image.BusyboxInit;
import io.javisor.boot.image.KernelModule;
import io.javisor.boot.image.KernelModules;
import io.javisor.storage.disk.ImageFormat;
import java.io.IOException;
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
    private static final List<String> LOADS = List.of("randread 1", "randwrite 1", "randread 32", "randwrite 32");
    private static final List<String> MODULES = List.of("sd_mod", "virtio_pci", "virtio_blk");

    private DiskComparison() {}

    /** Runs a step: its name, the folder, and what the step takes besides. */
    public static void main(String[] arguments) throws IOException {
        var guest = new LabGuest(Path.of(arguments[1]), "disk");
        switch (arguments[0]) {
            case "prepare" -> prepare(guest);
            case "run" -> run(guest, Integer.parseInt(arguments[2]));
            case "document" -> guest.document(Path.of(arguments[2]), "lab disks");
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static void prepare(LabGuest guest) throws IOException {
        DebianPackages packages = DebianPackages.open();
        DebianKernel kernel = packages.kernel(KERNEL);
        guest.prepare(kernel);
        KernelModules modules = KernelModules.open(kernel.modulesFolder());
        Set<KernelModule> all = new LinkedHashSet<>(modules.forGuest()); // both need scsi_mod
        all.addAll(modules.resolve(MODULES));
        Path fio = packages.unpack("fio");
        BusyboxInit.of(b -> b.busybox(packages.busybox())
                        .modules(List.copyOf(all))
                        .init("sh /load.sh")
                        .files(f -> FioFiles.of(fio).addTo(f.file("/load.sh", LabGuest.resource("disk.sh")))))
                .initramfs()
                .writeTo(guest.initrd());
    }

    private static void run(LabGuest guest, int rounds) throws IOException {
        var all = new LoadRounds(guest.inMemory(), DiskFiles.image(ImageFormat.RAW, "lab"), LOADS);
        for (int i = 0; i < rounds; i++) {
            all.round();
        }
        guest.ended(all.table("requests"), rounds);
    }
}
