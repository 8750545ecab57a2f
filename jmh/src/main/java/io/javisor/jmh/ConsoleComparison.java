package io.javisor.jmh;

import io.javisor.boot.debian.DebianKernel;
import io.javisor.boot.debian.DebianPackages;
import io.javisor.boot.image.BusyboxInit;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * What a byte on the serial console costs a guest, beside QEMU: the program behind {@code jmh/compare-lab console}, in the three steps
 * of {@link DiskComparison}.
 */
public final class ConsoleComparison {
    private static final String KERNEL = "6.1-cloud";

    /** What a program writes, and what the kernel says. */
    private static final List<String> LOADS = List.of("tty 1", "printk 1");

    private ConsoleComparison() {}

    /** Runs a step: its name, the folder, and what the step takes besides. */
    public static void main(String[] arguments) throws IOException {
        var guest = new LabGuest(Path.of(arguments[1]), "console");
        switch (arguments[0]) {
            case "prepare" -> prepare(guest);
            case "run" -> run(guest, Integer.parseInt(arguments[2]));
            case "document" -> guest.document(Path.of(arguments[2]), "lab console");
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static void prepare(LabGuest guest) throws IOException {
        DebianPackages packages = DebianPackages.open();
        DebianKernel kernel = packages.kernel(KERNEL);
        guest.prepare(kernel);
        BusyboxInit.of(b -> b.busybox(packages.busybox())
                        .init("sh /load.sh")
                        .files(f -> f.file("/load.sh", LabGuest.resource("console.sh"))))
                .initramfs()
                .writeTo(guest.initrd());
    }

    private static void run(LabGuest guest, int rounds) throws IOException {
        var all = new LoadRounds(guest.inMemory(), null, LOADS);
        for (int i = 0; i < rounds; i++) {
            all.round();
        }
        guest.ended(all.table("bytes"), rounds);
    }
}
