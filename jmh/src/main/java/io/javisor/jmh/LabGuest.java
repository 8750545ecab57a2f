package io.javisor.jmh;

import io.javisor.boot.debian.DebianKernel;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The guest of a comparison in the lab, in the folder that its three steps share.
 *
 * @param folder of the comparison
 * @param name of the comparison
 */
record LabGuest(Path folder, String name) {
    /** Copies of a kernel and an initial RAM disk in the lab's memory. */
    record Images(Path kernel, Path initrd) {}

    private Path kernelName() {
        return folder.resolve(name + "-kernel");
    }

    private Path table() {
        return folder.resolve(name + ".md");
    }

    /** Where its initial RAM disk is to be. */
    Path initrd() {
        return folder.resolve(name + "-initrd");
    }

    /** Remembers the kernel, and makes room for the initial RAM disk. */
    void prepare(DebianKernel kernel) throws IOException {
        Files.writeString(kernelName(), kernel.image().toString());
        Files.deleteIfExists(initrd());
    }

    /** So that neither side waits for the file system that the lab shares with its host. */
    Images inMemory() throws IOException {
        Path memory = Files.createTempDirectory(Path.of("/dev/shm"), name + "-");
        return new Images(
                Files.copy(Path.of(Files.readString(kernelName()).strip()), memory.resolve("kernel")),
                Files.copy(initrd(), memory.resolve("initrd")));
    }

    /** Prints and keeps what came of it. */
    void ended(String result, int rounds) throws IOException {
        System.out.print(result);
        Files.writeString(
                table(), HostDescription.text() + "; " + rounds + " rounds.\n\n" + result, StandardCharsets.UTF_8);
    }

    /** Writes what was kept into a document. */
    void document(Path document, String mark) throws IOException {
        Report.replace(document, mark, Files.readString(table()));
    }

    /** A file that lies beside this class. */
    static byte[] resource(String file) {
        try (InputStream in = LabGuest.class.getResourceAsStream(file)) {
            if (in == null) {
                throw new IllegalStateException("not in this jar: " + file);
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
