package io.javisor.lab.guest;

import io.javisor.boot.debian.DebianPackages;
import io.javisor.boot.image.Initramfs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Stock kernels from the cache, and initrds around a test's own /init. */
final class GuestFiles {
    private GuestFiles() {}

    static Path kernel(String release) {
        return DebianPackages.open().kernel(release).image();
    }

    /** An initrd with a static busybox and this /init. */
    static Path initrd(String init) {
        try {
            Path file = Files.createTempFile("javisor-test-", ".cpio");
            file.toFile().deleteOnExit();
            return Initramfs.of(b -> b.console()
                            .executable("/bin/busybox", DebianPackages.open().busybox())
                            .script("/init", init))
                    .writeTo(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
