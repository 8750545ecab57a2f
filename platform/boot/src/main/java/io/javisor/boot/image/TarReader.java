package io.javisor.boot.image;

import io.javisor.boot.image.RootTree.Attributes;
import io.javisor.boot.image.RootTree.Item;
import java.io.Closeable;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.jspecify.annotations.Nullable;

/**
 * A tar archive of a stranger, one checked entry after the other. Names are relative to the archive's root and never lead out of
 * it; headers are held to their checksums; extended headers, which the parser keeps in memory, are limited; every failure
 * of the parser is an {@link ImageException}. For one thread.
 */
final class TarReader implements Closeable {
    /** All headers of one entry: long names, extended attributes, sparse maps. Linux limits the attributes to 64 KiB each. */
    private static final int MAX_HEADERS = 1 << 20;

    private final String name;
    private final Limited limited;
    private final TarArchiveInputStream tar;
    private boolean first = true;

    /**
     * One entry; {@code item} is null for folders and hard links.
     *
     * @param path relative path without {@code .} and {@code ..}, empty for the root
     * @param hardLink path of the file that this is another name of, or null
     */
    record Entry(
            String path,
            Attributes attributes,
            boolean folder,
            @Nullable Item item,
            @Nullable String hardLink,
            long size) {}

    TarReader(String name, ArchiveSource source) {
        this.name = name;
        InputStream raw = null;
        try {
            raw = source.open();
            limited = new Limited(Decompression.open(name, raw));
            tar = new TarArchiveInputStream(limited, 512 * 20, 512, StandardCharsets.UTF_8.name(), false);
        } catch (IOException | RuntimeException e) {
            closeQuietly(raw);
            throw failure(e);
        }
    }

    /** The next entry, or null at the end. What is left of the previous entry's contents is skipped. */
    @Nullable
    Entry next() {
        try {
            limited.allow(Long.MAX_VALUE);
            long skipped = 1;
            while (!first && skipped > 0) {
                skipped = tar.skip(Long.MAX_VALUE);
            }
            limited.allow(MAX_HEADERS);
            TarArchiveEntry entry = nextEntry();
            limited.allow(Long.MAX_VALUE);
            if (entry == null) {
                if (first && limited.total == 0) {
                    throw ImageException.archive(name, "the archive is empty");
                }
                return null;
            }
            first = false;
            return check(entry);
        } catch (IOException | RuntimeException e) {
            throw failure(e);
        }
    }

    /** Contents of the current entry; ends with it, and fails if the archive is cut short. */
    InputStream content() {
        return tar;
    }

    String name() {
        return name;
    }

    ImageException failure(Exception e) {
        return e instanceof ImageException typed ? typed : ImageException.archive(name, e);
    }

    @Override
    public void close() {
        closeQuietly(tar);
    }

    private Entry check(TarArchiveEntry entry) {
        if (!entry.isCheckSumOK()) {
            throw ImageException.archive(
                    name, "a header's checksum is wrong: this is no tar archive, or it is damaged");
        }
        String path = relative(entry.getName(), "the name");
        boolean slash = entry.getName().endsWith("/");
        long modified = Math.clamp(entry.getLastModifiedTime().to(TimeUnit.SECONDS), 0, 0xFFFF_FFFFL);
        Attributes attributes = new Attributes(
                entry.getMode() & 07777, id(entry.getLongUserId(), path), id(entry.getLongGroupId(), path), modified);
        return switch (entry.getLinkFlag()) {
            case TarConstants.LF_DIR -> new Entry(path, attributes, true, null, null, 0);
            case TarConstants.LF_OLDNORM,
                    TarConstants.LF_NORMAL,
                    TarConstants.LF_CONTIG,
                    TarConstants.LF_GNUTYPE_SPARSE ->
                slash
                        ? new Entry(path, attributes, true, null, null, 0)
                        : new Entry(path, attributes, false, null, null, size(entry));
            case TarConstants.LF_LINK ->
                new Entry(path, attributes, false, null, relative(entry.getLinkName(), "a hard link's target"), 0);
            case TarConstants.LF_SYMLINK ->
                new Entry(path, attributes, false, new Item.Symlink(target(entry.getLinkName(), path)), null, 0);
            case TarConstants.LF_CHR, TarConstants.LF_BLK ->
                new Entry(
                        path,
                        attributes,
                        false,
                        new Item.Device(
                                entry.getLinkFlag() == TarConstants.LF_BLK,
                                device(entry.getDevMajor(), path),
                                device(entry.getDevMinor(), path)),
                        null,
                        0);
            case TarConstants.LF_FIFO -> new Entry(path, attributes, false, new Item.Fifo(), null, 0);
            default ->
                throw ImageException.archive(
                        name,
                        "\"" + ImageException.printable(path) + "\" is of the unknown type "
                                + (entry.getLinkFlag() & 0xFF));
        };
    }

    private long size(TarArchiveEntry entry) {
        long size = entry.getRealSize();
        if (size < 0) {
            throw ImageException.archive(name, "an entry's size is negative");
        }
        return size;
    }

    private String relative(String path, String what) {
        if (path.startsWith("/")) {
            throw ImageException.archive(name, what + " \"" + ImageException.printable(path) + "\" is absolute");
        }
        check(path);
        StringBuilder clean = new StringBuilder();
        for (String part : path.split("/", -1)) {
            if (part.equals("..")) {
                throw ImageException.archive(
                        name, what + " \"" + ImageException.printable(path) + "\" leads out of the archive");
            }
            if (!part.isEmpty() && !part.equals(".")) {
                clean.append(clean.isEmpty() ? "" : "/").append(part);
            }
        }
        return clean.toString();
    }

    private String target(String target, String path) {
        check(target);
        if (target.isEmpty()) {
            throw ImageException.archive(
                    name, "the symbolic link \"" + ImageException.printable(path) + "\" leads nowhere");
        }
        return target;
    }

    private void check(String path) {
        if (path.indexOf('\0') >= 0 || path.indexOf('\uFFFD') >= 0) {
            throw ImageException.archive(
                    name, "the name \"" + ImageException.printable(path) + "\" holds a NUL or is not UTF-8");
        }
        if (path.getBytes(StandardCharsets.UTF_8).length >= RootTree.MAX_PATH) {
            throw ImageException.archive(name, "the name \"" + ImageException.printable(path) + "\" is too long");
        }
    }

    /** Owners are 32 bits wide in cpio; (uid_t)-1 is no owner. */
    private long id(long id, String path) {
        if (id < 0 || id >= 0xFFFF_FFFFL) {
            throw ImageException.archive(
                    name, "\"" + ImageException.printable(path) + "\" belongs to the impossible ID " + id);
        }
        return id;
    }

    /** Linux has 12 bits of major and 20 of minor number (include/linux/kdev_t.h). */
    private long device(int number, String path) {
        if (number < 0 || number >= 1 << 20) {
            throw ImageException.archive(
                    name, "\"" + ImageException.printable(path) + "\" has the impossible device number " + number);
        }
        return number;
    }

    private static void closeQuietly(@Nullable Closeable closeable) {
        try {
            if (closeable != null) {
                closeable.close();
            }
        } catch (IOException e) {
            // It was only read.
        }
    }

    /** Counts, and refuses to give more than was allowed: the parser keeps what it reads of headers in memory. */
    private static final class Limited extends FilterInputStream {
        private long allowed = Long.MAX_VALUE;
        private long total;

        Limited(InputStream in) {
            super(in);
        }

        void allow(long bytes) {
            allowed = bytes;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            return (int) took(super.read(bytes, offset, length));
        }

        @Override
        public long skip(long bytes) throws IOException {
            return took(super.skip(bytes));
        }

        @Override
        public boolean markSupported() {
            return false;
        }

        private long took(long count) throws IOException {
            if (count > 0) {
                total += count;
                allowed -= count;
                if (allowed < 0) {
                    throw new IOException("the headers of one entry are longer than " + MAX_HEADERS + " bytes");
                }
            }
            return count;
        }
    }

    /** Headers that describe headers make the library call itself; a small stack ends before the byte limit does. */
    private @Nullable TarArchiveEntry nextEntry() throws IOException {
        try {
            return tar.getNextEntry();
        } catch (StackOverflowError e) {
            throw ImageException.archive(name, "headers describe headers without end");
        }
    }
}
