package io.javisor.boot.image;

import io.javisor.boot.image.RootTree.Attributes;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/**
 * Where an image goes. Paths are relative, without {@code ..}, and resolved: no symbolic link is on the way to any of them.
 * Folders come first, parents before children.
 */
interface Sink {
    void folder(String path, Attributes attributes) throws IOException;

    /** A regular file under one or more names; the sink reads exactly {@code size} bytes. */
    void file(List<String> paths, Attributes attributes, long size, InputStream content) throws IOException;

    /** A symbolic link, device node or FIFO under one or more names. */
    void special(List<String> paths, Attributes attributes, RootTree.Item item) throws IOException;

    /** Nothing follows. */
    void finish() throws IOException;
}
