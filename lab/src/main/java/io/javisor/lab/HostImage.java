package io.javisor.lab;

import io.javisor.boot.KernelImage;
import io.javisor.boot.KernelPayload;
import io.javisor.boot.debian.DebianKernel;
import io.javisor.boot.debian.DebianPackages;
import io.javisor.boot.image.Initramfs;
import io.javisor.boot.image.KernelModule;
import io.javisor.boot.image.KernelModules;
import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the lab boots, made once and kept in the user's cache: another build of the kernel, of busybox or of our scripts
 * makes another one.
 *
 * @param kernel ELF, or the bzImage where that cannot be had
 * @param initramfs finds the root file system
 * @param release what {@code uname -r} gives
 * @param modules the folder of the kernel's modules
 */
record HostImage(Path kernel, Path initramfs, String release, Path modules) {
    private static final List<String> SCRIPTS = List.of("init", "agent", "heart", "session");
    /** What the root file system takes. */
    private static final List<String> ROOT_MODULES =
            List.of("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay");

    private static final List<String> KVM_MODULES = List.of("kvm_amd");

    /** The image for a kernel, fetched and made at its first use. */
    static HostImage of(HostKernel version) {
        try {
            DebianPackages packages = DebianPackages.open();
            DebianKernel kernel = packages.kernel(version.version());
            packages.indexModules(kernel);
            Path busybox = packages.busybox();
            Path folder =
                    packages.folder().resolve("lab").resolve(kernel.release() + "-" + fingerprint(kernel, busybox));
            HostImage image = new HostImage(
                    folder.resolve("kernel"), folder.resolve("initramfs"), kernel.release(), kernel.modulesFolder());
            if (!Files.exists(image.initramfs())) {
                image.make(folder, kernel, busybox);
            }
            return image;
        } catch (IOException e) {
            throw new LabException("lab-unavailable", "the lab's image cannot be made: " + e, null, e);
        } catch (HypervisorException e) {
            // No network on a first run, no Debian: not a failure of what the lab is for.
            throw new LabException("lab-unavailable", "the lab has no kernel: " + e.getMessage(), null, e);
        }
    }

    /** Each file appears whole or not at all, the initramfs last; two makers make the same. */
    private void make(Path folder, DebianKernel debian, Path busybox) throws IOException {
        Files.createDirectories(folder);
        unpack(debian.image());
        KernelModules tree = debian.modules();
        List<KernelModule> root = tree.resolve(ROOT_MODULES);
        List<KernelModule> kvm = new ArrayList<>(tree.resolve(KVM_MODULES));
        kvm.removeAll(root);
        Map<String, byte[]> scripts = scripts();
        Initramfs.of(i -> {
                    i.console().executable("/bin/busybox", busybox);
                    for (String mountPoint : List.of("/proc", "/sys", "/lower", "/ram", "/root")) {
                        i.folder(mountPoint);
                    }
                    scripts.forEach((name, text) -> i.file("/" + name, text, 0755));
                    i.modules(root).text("/modules.root", paths(root));
                    i.modules(kvm).text("/modules.kvm", paths(kvm));
                })
                .writeTo(initramfs);
    }

    /** Unpacking the kernel here takes a second, once; an emulated processor takes several, at each boot. */
    private void unpack(Path bzImage) throws IOException {
        Optional<KernelPayload> payload = KernelPayload.of(KernelImage.read(bzImage))
                .filter(p -> p.compression() != KernelPayload.Compression.OTHER);
        if (payload.isPresent()) {
            payload.get().extractTo(kernel);
            return;
        }
        Path draft = Files.createTempFile(kernel.getParent(), "kernel", ".partial");
        Files.copy(bzImage, draft, StandardCopyOption.REPLACE_EXISTING);
        Files.move(draft, kernel, StandardCopyOption.ATOMIC_MOVE);
    }

    private static String paths(List<KernelModule> modules) {
        StringBuilder lines = new StringBuilder();
        modules.forEach(module -> lines.append(module.guestPath()).append('\n'));
        return lines.toString();
    }

    private static Map<String, byte[]> scripts() throws IOException {
        Map<String, byte[]> scripts = new LinkedHashMap<>();
        for (String name : SCRIPTS) {
            try (InputStream in = HostImage.class.getResourceAsStream(name)) {
                if (in == null) {
                    throw new IOException("the resource " + name + " is missing");
                }
                scripts.put(name, in.readAllBytes());
            }
        }
        return scripts;
    }

    private static String fingerprint(DebianKernel kernel, Path busybox) throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(kernel.packageVersion().getBytes(StandardCharsets.UTF_8));
            digest.update((busybox + " " + Files.size(busybox) + " " + Files.getLastModifiedTime(busybox))
                    .getBytes(StandardCharsets.UTF_8));
            digest.update((ROOT_MODULES + " " + KVM_MODULES).getBytes(StandardCharsets.UTF_8));
            scripts().values().forEach(digest::update);
            return HexFormat.of().formatHex(digest.digest(), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
