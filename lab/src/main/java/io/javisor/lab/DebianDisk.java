package io.javisor.lab;

import io.javisor.api.DriveSpec;
import io.javisor.api.MachineBuilder;
import io.javisor.boot.debian.DebianPackages;
import io.javisor.storage.disk.DiskOptions;
import io.javisor.storage.disk.ImageSpec;
import io.javisor.storage.disk.ImageWork;
import io.javisor.storage.disk.Progress;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;

/**
 * A Debian 12 with systemd, udev and the tools that tests want, on a disk: an ext4 file system without partitions, with its
 * kernel and initial RAM disk beside it. Made once by debootstrap, and kept in the user's cache until the script that makes it
 * changes. Nobody writes to it: machines stand over it by overlays.
 *
 * @param folder with {@code disk.raw}, {@code disk.vhdx}, {@code vmlinuz}, {@code initrd} and {@code packages}
 */
public record DebianDisk(Path folder) {
    /** Its name among the guests of {@link io.javisor.lab.junit.LabTest}. */
    public static final String NAME = "debian-12";

    private static final String SCRIPT = "debian-image";
    private static final long LIMIT_MINUTES = 30;

    /** What the kernel's command line needs besides {@code console=}. */
    public static final String COMMAND_LINE = "root=LABEL=debian ro";

    /**
     * The disk, made at its first use, which takes some minutes.
     *
     * @throws LabException if it has to be made and we are not root, or there is no network
     */
    public static DebianDisk get() {
        byte[] script = script();
        Path cache = DebianPackages.open().folder().resolve("lab");
        DebianDisk disk = new DebianDisk(cache.resolve(NAME + "-" + fingerprint(script)));
        if (Files.isRegularFile(disk.vhdx())) {
            return disk;
        }
        try {
            Files.createDirectories(cache);
            try (FileChannel file = FileChannel.open(
                            cache.resolve(NAME + ".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock _ = file.lock()) {
                if (!Files.isRegularFile(disk.disk())) {
                    disk.make(script);
                }
                if (!Files.isRegularFile(disk.vhdx())) {
                    Path half = disk.folder.resolve("half.vhdx");
                    Files.deleteIfExists(half);
                    ImageWork.convert(disk.disk(), DiskOptions.DEFAULT, half, ImageSpec.Layout.DYNAMIC, Progress.NONE);
                    Files.move(half, disk.vhdx(), StandardCopyOption.ATOMIC_MOVE);
                }
            }
            return disk;
        } catch (IOException e) {
            throw new LabException("lab-unavailable", "a Debian disk cannot be made in " + cache + ": " + e, null, e);
        }
    }

    private void make(byte[] script) throws IOException {
        Prerequisites.require("debootstrap", "debootstrap");
        Prerequisites.require("mke2fs", "e2fsprogs");
        Path program = Files.createTempFile("debian-image", ".sh");
        Path said = Files.createTempFile("debian-image", ".log");
        try {
            Files.write(program, script);
            Process process = new ProcessBuilder("sh", program.toString(), folder.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(said.toFile())
                    .start();
            process.getOutputStream().close();
            boolean ended = process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES);
            if (!ended) {
                process.destroy(); // its trap clears up
            }
            if (!ended || process.exitValue() != 0) {
                throw new LabException(
                        "lab-unavailable",
                        "no Debian disk: " + (ended ? "" : "not made within " + LIMIT_MINUTES + " minutes; ")
                                + Files.readString(said),
                        "run as root, with a network and an up-to-date apt (apt-get update)",
                        null);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("lab-unavailable", "interrupted while a Debian disk was made", null, e);
        } finally {
            Files.deleteIfExists(program);
            Files.deleteIfExists(said);
        }
    }

    private static byte[] script() {
        try (InputStream in = DebianDisk.class.getResourceAsStream(SCRIPT)) {
            if (in == null) {
                throw new IllegalStateException("not in this jar: " + SCRIPT);
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new LabException("lab-unavailable", "cannot read " + SCRIPT + " from this jar", null, e);
        }
    }

    private static String fingerprint(byte[] script) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(script), 0, 6);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** The disk: raw, with sectors of 512 bytes. */
    public Path disk() {
        return folder.resolve("disk.raw");
    }

    /** The same as a VHDX, for machines whose disks differ from it. */
    public Path vhdx() {
        return folder.resolve("disk.vhdx");
    }

    /** The disk's own kernel. */
    public Path kernel() {
        return folder.resolve("vmlinuz");
    }

    /** The disk's own initial RAM disk. */
    public Path initrd() {
        return folder.resolve("initrd");
    }

    /** What is installed, a package with its version a line. */
    public String packages() throws IOException {
        return Files.readString(folder.resolve("packages"), StandardCharsets.UTF_8);
    }

    /** Describes a machine that boots from an overlay of the disk, which is its {@code sda}; 1 GiB of memory is enough. */
    public MachineBuilder describe(MachineBuilder machine) {
        return machine.linux(l -> l.kernel(kernel()).initrd(initrd()).append(COMMAND_LINE))
                .disk(disk(), DriveSpec.Builder::overlay);
    }
}
