package io.javisor.api;

import io.javisor.boot.KernelImage;
import io.javisor.boot.debian.DebianKernel;
import io.javisor.boot.debian.DebianPackages;
import io.javisor.boot.image.BusyboxInit;
import io.javisor.boot.image.KernelModule;
import io.javisor.boot.image.KernelModules;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Kernel and initial RAM disk: what a spec names, fetched or built where it names none. Built initial RAM disks are
 * kept in the cache folder under a name that tells what is in them.
 */
record GuestFiles(KernelImage kernel, Optional<Path> initrd) {

    /** Finds, fetches, builds; a kernel that can't be booted is refused before anything is built for it. */
    static GuestFiles of(LinuxSpec spec) {
        DebianPackages packages = DebianPackages.open();
        DebianKernel debian = spec.kernel() instanceof LinuxSpec.Kernel.Debian d ? packages.kernel(d.release()) : null;
        Path file = debian != null ? debian.image() : ((LinuxSpec.Kernel.File) spec.kernel()).path();
        KernelImage kernel = KernelImage.read(file);
        Optional<Path> initrd = switch (spec.initrd()) {
            case LinuxSpec.Initrd.None _ -> Optional.empty();
            case LinuxSpec.Initrd.File given -> Optional.of(given.path());
            case LinuxSpec.Initrd.Busybox busybox -> Optional.of(built(packages, debian, file, busybox.modules()));
        };
        return new GuestFiles(kernel, initrd);
    }

    private static Path built(DebianPackages packages, @Nullable DebianKernel debian, Path kernel, List<String> more) {
        Path tree = debian != null ? debian.modulesFolder() : KernelFiles.modulesBeside(kernel);
        Path busybox = packages.busybox();
        var key = new ArrayList<String>();
        key.add(String.valueOf(tree));
        key.add(busybox.toString());
        key.add(BusyboxInit.fingerprint());
        key.addAll(more);
        try {
            key.add(Files.getLastModifiedTime(busybox) + " " + Files.size(busybox));
            if (tree != null) {
                key.add(Files.getLastModifiedTime(tree).toString());
            }
            Path folder = Files.createDirectories(packages.folder().resolve("initramfs"));
            Path file = folder.resolve(digest(key) + ".cpio");
            if (!Files.exists(file)) {
                Path half = Files.createTempFile(folder, "half-", ".cpio");
                try {
                    BusyboxInit.of(b -> {
                                b.busybox(busybox);
                                if (tree != null) {
                                    b.modules(modules(tree, more));
                                }
                            })
                            .initramfs()
                            .writeTo(half);
                    Files.move(half, file, StandardCopyOption.ATOMIC_MOVE);
                } finally {
                    Files.deleteIfExists(half);
                }
            }
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<KernelModule> modules(Path tree, List<String> more) {
        KernelModules modules = KernelModules.open(tree);
        var order = new ArrayList<>(modules.forGuest());
        order.addAll(modules.resolve(more));
        return order;
    }

    private static String digest(List<String> key) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256")
                    .digest(String.join("\0", key).getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }
}
