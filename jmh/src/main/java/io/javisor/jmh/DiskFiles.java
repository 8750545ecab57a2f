package io.javisor.jmh;

import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.disk.ImageSpec;
import io.javisor.storage.disk.IoMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Random;

/** The images that benchmarks of disks work on, in the host's memory: every byte of them is there, so that no request finds a hole. */
final class DiskFiles {
    static final long BYTES = 256L << 20;

    private static final int PIECE = 1 << 20;

    private DiskFiles() {}

    /**
     * This JVM's image of a format; made at the first call and deleted when the JVM ends.
     *
     * @param whose one of several
     */
    static synchronized Path image(ImageFormat format, String whose) {
        long process = ProcessHandle.current().pid();
        Path path = Path.of("/dev/shm/javisor-jmh-" + process + "-" + whose + "."
                + format.name().toLowerCase(Locale.ROOT));
        if (!Files.exists(path)) {
            path.toFile().deleteOnExit();
            DiskImage.create(path, ImageSpec.dynamic(format, BYTES));
            fill(path);
        }
        return path;
    }

    private static void fill(Path path) {
        try (Disk disk = DiskImage.open(path);
                Arena arena = Arena.ofConfined()) {
            MemorySegment piece = arena.allocate(PIECE, DiskLoad.BYTES);
            byte[] random = new byte[PIECE];
            new Random(1).nextBytes(random);
            MemorySegment.copy(random, 0, piece, ValueLayout.JAVA_BYTE, 0, PIECE);
            for (long at = 0; at < BYTES; at += PIECE) {
                disk.write(at, IoMemory.of(piece), false);
            }
        }
    }
}
