package io.javisor.storage.scsi;

import io.javisor.storage.disk.DiskException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Keeps reservations in a file, replaced as a whole each time. */
public final class FileReservationStore implements ReservationStore {
    private static final int MOST_BYTES = 16 << 20;

    private final Path path;

    /** @param path of the file, which need not be there yet */
    public FileReservationStore(Path path) {
        this.path = path.toAbsolutePath();
    }

    @Override
    public byte[] load() {
        try {
            if (!Files.exists(path)) {
                return new byte[0];
            }
            if (Files.size(path) > MOST_BYTES) {
                throw new IOException("larger than " + MOST_BYTES + " bytes");
            }
            return Files.readAllBytes(path);
        } catch (IOException e) {
            throw new DiskException(
                    DiskException.Kind.OPEN, "reservations in " + path + ": " + e, null, 0, "delete the file", e);
        }
    }

    @Override
    public void save(byte[] state) {
        Path next = path.resolveSibling(path.getFileName() + ".new");
        try {
            try (FileChannel out = FileChannel.open(
                    next, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                ByteBuffer bytes = ByteBuffer.wrap(state);
                while (bytes.hasRemaining()) {
                    out.write(bytes);
                }
                out.force(true);
            }
            Files.move(next, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new DiskException(
                    DiskException.Kind.WRITE, "reservations in " + path + ": " + e, null, 0, "free space there", e);
        }
    }
}
