package io.javisor.boot.image;

import io.javisor.boot.image.RootTree.Attributes;
import io.javisor.boot.image.RootTree.Item;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/**
 * An immutable description of an initramfs: which names it has, and where their contents come from. It is made by a
 * {@link Builder} and written as often as one likes; files and archives of the host are read while it is written, never kept
 * in memory.
 *
 * <pre>{@code
 * Initramfs image = Initramfs.of(i -> i
 *         .executable("/bin/busybox", Path.of("/bin/busybox"))
 *         .script("/init", "#!/bin/busybox sh\nexec /bin/busybox sh\n"));
 * image.writeTo(Path.of("initramfs.cpio"));
 * }</pre>
 *
 * <p>Folders above a name are made as needed (mode 0755). A later part replaces what an earlier one put at the same path. Host
 * files keep their permissions and become root's, with time 0; entries of archives keep their owners and times. So the same
 * description over the same files gives the same bytes.
 */
public final class Initramfs {
    /** Limit on the sum of all file sizes, if none is given: 4 GiB. */
    public static final long DEFAULT_LIMIT = 4L << 30;

    private final List<Part> parts;
    private final long limit;
    private final boolean gzip;

    private Initramfs(Builder builder) {
        this.parts = List.copyOf(builder.parts);
        this.limit = builder.limit;
        this.gzip = builder.gzip;
    }

    /**
     * Describes an initramfs.
     *
     * @param spec told what it holds
     * @return the description
     */
    public static Initramfs of(Consumer<Builder> spec) {
        Builder builder = new Builder();
        spec.accept(builder);
        return new Initramfs(builder);
    }

    /**
     * Writes the image; {@code out} stays open.
     *
     * @param out told the cpio stream, compressed if {@link Builder#gzip} was asked for
     * @throws ImageException if an input is missing, damaged or too large, or {@code out} fails
     */
    public void writeTo(OutputStream out) {
        Assembly assembly = new Assembly(parts, limit);
        try {
            if (gzip) {
                GZIPOutputStream compressed = new FastGzip(out);
                assembly.writeTo(new CpioSink(compressed));
                compressed.finish();
            } else {
                assembly.writeTo(new CpioSink(out));
            }
            out.flush();
        } catch (IOException | UncheckedIOException e) {
            throw ImageException.io("cannot write the initramfs", e);
        }
    }

    /**
     * Writes the image to a file, which appears whole or not at all; an existing file is replaced.
     *
     * @param file where to
     * @return {@code file}
     * @throws ImageException if an input is missing, damaged or too large, or the file cannot be written
     */
    public Path writeTo(Path file) {
        Path folder = Objects.requireNonNullElse(file.toAbsolutePath().getParent(), file);
        try {
            Path part = folder.resolve(
                    ".javisor-" + UUID.randomUUID() + ".part"); // not a temporary file: others may read it
            try {
                try (OutputStream out =
                        new BufferedOutputStream(Files.newOutputStream(part, StandardOpenOption.CREATE_NEW), 1 << 16)) {
                    writeTo(out);
                }
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(part);
            }
            return file;
        } catch (IOException e) {
            throw ImageException.io("cannot write the initramfs " + file, e);
        }
    }

    /**
     * The image in memory.
     *
     * @return the bytes that {@link #writeTo(OutputStream)} writes
     */
    public byte[] toBytes() {
        ByteArrayOutputStream out = new ByteArrayOutputStream(1 << 20);
        writeTo(out);
        return out.toByteArray();
    }

    /**
     * Writes the same names and contents as a folder of the host, without privileges: owners and set-ID bits are dropped. Links
     * keep their targets, which are meant for the guest's root: do not follow absolute ones on the host.
     *
     * @param folder an empty folder, or one that does not exist yet
     * @throws ImageException if an input is missing, damaged or too large, there are device nodes, or the host refuses
     */
    public void unpackTo(Path folder) {
        Assembly assembly = new Assembly(parts, limit);
        try {
            Files.createDirectories(folder);
            try (var list = Files.list(folder)) {
                if (list.findAny().isPresent()) {
                    throw new ImageException("image-io", folder + " is not empty", "name an empty folder");
                }
            }
            assembly.writeTo(new FolderSink(folder));
        } catch (IOException | UncheckedIOException e) {
            throw ImageException.io("cannot unpack to " + folder, e);
        }
    }

    /** Collects the parts of an {@link Initramfs}. Paths name places in the guest, with or without a leading slash. For one thread. */
    public static final class Builder {
        private final List<Part> parts = new ArrayList<>();
        private long limit = DEFAULT_LIMIT;
        private boolean gzip;

        private Builder() {}

        /**
         * A folder with mode 0755.
         *
         * @param path where
         * @return this
         */
        public Builder folder(String path) {
            return folder(path, 0755);
        }

        /**
         * A folder.
         *
         * @param path where
         * @param mode permission bits, 0 to 07777
         * @return this
         */
        public Builder folder(String path, int mode) {
            parts.add(new Part.Folder(path, attributes(mode)));
            return this;
        }

        /**
         * A file with mode 0644 from memory.
         *
         * @param path where
         * @param content copied
         * @return this
         */
        public Builder file(String path, byte[] content) {
            return file(path, content, 0644);
        }

        /**
         * A file from memory.
         *
         * @param path where
         * @param content copied
         * @param mode permission bits, 0 to 07777
         * @return this
         */
        public Builder file(String path, byte[] content, int mode) {
            return leaf(path, mode, new Item.Regular(new Content.Bytes(content.clone())));
        }

        /**
         * A text file with mode 0644.
         *
         * @param path where
         * @param text its content, in UTF-8
         * @return this
         */
        public Builder text(String path, String text) {
            return leaf(path, 0644, new Item.Regular(new Content.Bytes(text.getBytes(StandardCharsets.UTF_8))));
        }

        /**
         * An executable text file (0755), such as {@code /init}.
         *
         * @param path where
         * @param text its content, in UTF-8, beginning with {@code #!}
         * @return this
         */
        public Builder script(String path, String text) {
            return leaf(path, 0755, new Item.Regular(new Content.Bytes(text.getBytes(StandardCharsets.UTF_8))));
        }

        /**
         * A file of the host with its own permissions.
         *
         * @param path where
         * @param hostFile a regular file, or a link to one
         * @return this
         */
        public Builder file(String path, Path hostFile) {
            parts.add(new Part.HostFile(path, hostFile, -1));
            return this;
        }

        /**
         * A file of the host with mode 0755.
         *
         * @param path where
         * @param hostFile a regular file, or a link to one
         * @return this
         */
        public Builder executable(String path, Path hostFile) {
            parts.add(new Part.HostFile(path, hostFile, 0755));
            return this;
        }

        /**
         * A folder of the host and all below it; links stay links.
         *
         * @param path where its contents go; empty for the root
         * @param hostFolder a folder of regular files, folders and links
         * @return this
         */
        public Builder folder(String path, Path hostFolder) {
            parts.add(new Part.HostFolder(path, hostFolder));
            return this;
        }

        /**
         * A symbolic link.
         *
         * @param path where
         * @param target what it leads to, as the guest will read it; not empty
         * @return this
         */
        public Builder symlink(String path, String target) {
            if (target.isEmpty() || target.indexOf('\0') >= 0 || target.length() >= RootTree.MAX_PATH) {
                throw ImageException.path(
                        path, "a link's target is 1 to " + (RootTree.MAX_PATH - 1) + " bytes without NUL");
            }
            return leaf(path, 0777, new Item.Symlink(target));
        }

        /**
         * A character device node; needs no privileges on the host.
         *
         * @param path where
         * @param mode permission bits, 0 to 07777
         * @param major major number, 0 to 4095
         * @param minor minor number, 0 to 1048575
         * @return this
         */
        public Builder characterDevice(String path, int mode, int major, int minor) {
            return device(path, mode, false, major, minor);
        }

        /**
         * A block device node; needs no privileges on the host.
         *
         * @param path where
         * @param mode permission bits, 0 to 07777
         * @param major major number, 0 to 4095
         * @param minor minor number, 0 to 1048575
         * @return this
         */
        public Builder blockDevice(String path, int mode, int major, int minor) {
            return device(path, mode, true, major, minor);
        }

        /**
         * {@code /dev/console} (5:1): without it the kernel starts {@code /init} without input and output.
         *
         * @return this
         */
        public Builder console() {
            return folder("/dev").characterDevice("/dev/console", 0600, 5, 1);
        }

        /**
         * A tar archive, plain or compressed with gzip, xz or (with the {@code zstd} program) zstd.
         *
         * @param path where its root goes; empty for the image's root
         * @param file the archive
         * @return this
         */
        public Builder archive(String path, Path file) {
            return archive(path, file.toString(), () -> Files.newInputStream(file));
        }

        /**
         * A tar archive from anywhere.
         *
         * @param path where its root goes; empty for the image's root
         * @param name what errors call it
         * @param source opened twice each time the image is written
         * @return this
         */
        public Builder archive(String path, String name, ArchiveSource source) {
            parts.add(new Part.Archive(strip(path), name, source, false));
            return this;
        }

        /**
         * The layers of a container image, lowest first: each a tar archive as {@link #archive(String, Path)} takes, with whiteouts
         * applied (OCI image specification, "Image Layer Filesystem Changeset").
         *
         * @param layers the layers' files
         * @return this
         */
        public Builder ociLayers(List<Path> layers) {
            for (Path file : layers) {
                parts.add(new Part.Archive("", file.toString(), () -> Files.newInputStream(file), true));
            }
            return this;
        }

        /**
         * Kernel modules, decompressed, below {@code /lib/modules/VERSION/} where their kernel's tree has them.
         *
         * @param modules what {@link KernelModules#resolve} gave
         * @return this
         */
        public Builder modules(List<KernelModule> modules) {
            for (KernelModule module : modules) {
                leaf(module.guestPath(), 0644, new Item.Regular(new Content.Module(module)));
            }
            return this;
        }

        /**
         * Limits the sum of all file sizes, before compression; {@link #DEFAULT_LIMIT} if not called. It bounds what a hostile archive
         * can expand to.
         *
         * @param bytes at least 1
         * @return this
         */
        public Builder limit(long bytes) {
            if (bytes < 1) {
                throw new IllegalArgumentException("limit must be at least 1 byte: " + bytes);
            }
            limit = bytes;
            return this;
        }

        /**
         * Compresses the written image with gzip, at its fastest: smaller on disk, slower to boot.
         *
         * @return this
         */
        public Builder gzip() {
            gzip = true;
            return this;
        }

        private Builder device(String path, int mode, boolean block, int major, int minor) {
            if (major < 0 || major >= 1 << 12 || minor < 0 || minor >= 1 << 20) {
                throw ImageException.path(path, "device number " + major + ":" + minor + " is out of range");
            }
            return leaf(path, mode, new Item.Device(block, major, minor));
        }

        private Builder leaf(String path, int mode, Item item) {
            parts.add(new Part.Leaf(path, attributes(mode), item));
            return this;
        }

        private static Attributes attributes(int mode) {
            if (mode < 0 || mode > 07777) {
                throw new IllegalArgumentException("mode must be 0 to 07777: 0" + Integer.toOctalString(mode));
            }
            return new Attributes(mode, 0, 0, 0);
        }

        private static String strip(String path) {
            return path.replaceAll("^/+|/+$", "");
        }
    }

    private static final class FastGzip extends GZIPOutputStream {
        FastGzip(OutputStream out) throws IOException {
            super(out, 1 << 16);
            def.setLevel(Deflater.BEST_SPEED);
        }
    }
}
