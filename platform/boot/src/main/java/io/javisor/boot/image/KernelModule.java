package io.javisor.boot.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * One module of a kernel's tree, ready to be put into an image.
 *
 * @param name its name, with underscores
 * @param file the host's file, as it is in the tree: {@code .ko}, {@code .ko.xz}, {@code .ko.gz} or {@code .ko.zst}
 * @param guestPath where it goes in the guest: {@code lib/modules/VERSION/.../NAME.ko}, without compression
 * @param size its size in bytes once decompressed
 * @param info what it says of itself
 * @param needs names of the modules that must be loaded before it, of those that are not built in
 */
public record KernelModule(String name, Path file, String guestPath, long size, ModuleInfo info, List<String> needs) {
    /** The largest of a distribution's modules (amdgpu) have some 30 MiB. */
    static final int MAX_SIZE = 128 << 20;

    /** Copies the list. */
    public KernelModule {
        needs = List.copyOf(needs);
    }

    /**
     * Opens the module, decompressed.
     *
     * @return its bytes
     * @throws IOException if the host refuses
     */
    public InputStream open() throws IOException {
        return open(file);
    }

    static InputStream open(Path file) throws IOException {
        InputStream raw = Files.newInputStream(file);
        try {
            return Decompression.open(file.toString(), raw);
        } catch (IOException | RuntimeException e) {
            raw.close();
            throw e;
        }
    }

    /** Reads a whole module, decompressed. */
    static byte[] read(Path file) {
        try (InputStream in = open(file)) {
            byte[] bytes = in.readNBytes(MAX_SIZE + 1);
            if (bytes.length > MAX_SIZE) {
                throw new ImageException(
                        "image-limit", "the kernel module " + file + " is larger than " + MAX_SIZE + " bytes", null);
            }
            return bytes;
        } catch (IOException e) {
            throw new ImageException(
                    "image-module",
                    "cannot read the kernel module " + file + ": " + ImageException.reason(e),
                    "unpack the kernel's package again",
                    e);
        }
    }
}
