package io.javisor.jmh;

import io.javisor.boot.KernelImage;
import io.javisor.boot.KernelPayload;
import io.javisor.boot.debian.DebianPackages;
import io.javisor.boot.image.Initramfs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * How long stock kernels take to their /init, beside QEMU: the program behind {@code jmh/compare-lab}. It is run three times with
 * the same folder: {@code prepare} outside the lab fetches kernels and builds an initial RAM disk, {@code run} in the lab boots
 * them in turns, {@code document} outside again writes the table.
 */
public final class BootComparison {
    private static final List<String> KERNELS = List.of("6.1-cloud", "6.12-cloud", "6.1");
    private static final String NAMES = "kernels";
    private static final String INITRD = "initrd";
    private static final String TABLE = "table.md";

    private BootComparison() {}

    /** Runs a step: its name, the folder, and what the step takes besides. */
    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[1]);
        switch (arguments[0]) {
            case "prepare" -> prepare(folder, Path.of(arguments[2]));
            case "run" -> run(folder, Integer.parseInt(arguments[2]));
            case "document" -> document(folder, Path.of(arguments[2]));
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static void prepare(Path folder, Path init) throws IOException {
        DebianPackages packages = DebianPackages.open();
        List<String> names = new ArrayList<>();
        for (String kernel : KERNELS) {
            Path image = packages.kernel(kernel).image();
            names.add(String.join("\t", kernel, image.toString(), image.toString()));
            Optional<KernelPayload> payload = KernelPayload.of(KernelImage.read(image))
                    .filter(p -> p.compression() != KernelPayload.Compression.OTHER);
            if (payload.isPresent()) {
                Path vmlinux = folder.resolve(kernel + ".vmlinux");
                payload.get().extractTo(vmlinux);
                names.add(String.join("\t", kernel + " unpacked", vmlinux.toString(), image.toString()));
            }
        }
        Files.write(folder.resolve(NAMES), names);
        Path initrd = folder.resolve(INITRD);
        Files.deleteIfExists(initrd);
        Initramfs.of(b -> b.console().executable("/init", init)).writeTo(initrd);
    }

    private static void run(Path folder, int rounds) throws IOException {
        // Copies in the lab's memory, so that neither side waits for the file system that the lab shares with its host.
        Path memory = Files.createTempDirectory("boots-");
        Path initrd = Files.copy(folder.resolve(INITRD), memory.resolve(INITRD));
        List<BootRounds> all = new ArrayList<>();
        for (String line : Files.readAllLines(folder.resolve(NAMES))) {
            String[] of = line.split("\t", 3);
            Path ours = Files.copy(Path.of(of[1]), memory.resolve(of[0]));
            Path qemus = of[1].equals(of[2]) ? ours : Files.copy(Path.of(of[2]), memory.resolve(of[0] + " of QEMU"));
            all.add(new BootRounds(of[0], ours, qemus, initrd));
        }
        // A JVM that has booted a guest, and files that have been read.
        all.getFirst().warmUp();
        for (int i = 0; i < rounds; i++) {
            all.forEach(BootRounds::round);
        }
        var text = new StringBuilder(BootRounds.HEAD);
        all.stream().sorted(Comparator.comparing(BootRounds::name)).forEach(k -> text.append(k.row()));
        System.out.print(text);
        Files.writeString(folder.resolve(TABLE), HostDescription.text() + "; " + rounds + " rounds.\n\n" + text);
    }

    private static void document(Path folder, Path document) throws IOException {
        Report.replace(document, "lab", Files.readString(folder.resolve(TABLE)));
    }
}
