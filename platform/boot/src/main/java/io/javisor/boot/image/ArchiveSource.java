package io.javisor.boot.image;

import java.io.IOException;
import java.io.InputStream;

/** Where an archive's bytes come from. It is opened twice, and must give the same bytes both times. */
@FunctionalInterface
public interface ArchiveSource {
    /**
     * Opens the archive from its first byte; the caller closes it.
     *
     * @return the archive, possibly compressed
     * @throws IOException if the host refuses
     */
    InputStream open() throws IOException;
}
