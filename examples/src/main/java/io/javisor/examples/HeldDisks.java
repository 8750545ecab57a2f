package io.javisor.examples;

import io.javisor.api.DriveSpec;
import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.DiskOptions;
import io.javisor.storage.disk.ImageFormat;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Holds the locks of a machine's files while it runs in the lab, which reaches files by a protocol without locks: one writer, or
 * many readers, as on a host. The files' contents are not looked at.
 */
final class HeldDisks implements AutoCloseable {
    private final List<Disk> held = new ArrayList<>();

    /** @throws io.javisor.storage.disk.DiskException of kind {@code BUSY} if one is in use */
    HeldDisks(List<DriveSpec> drives) {
        try {
            for (DriveSpec drive : drives) {
                Path file = drive.path();
                if (file != null) {
                    DiskOptions bare = DiskOptions.DEFAULT.withFormat(ImageFormat.RAW);
                    held.add(DiskImage.open(file, bare.withReadOnly(!drive.writesFile())));
                }
            }
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    @Override
    public void close() {
        held.forEach(Disk::close);
    }
}
