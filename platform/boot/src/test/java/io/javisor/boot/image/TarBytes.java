package io.javisor.boot.image;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/** Builds tar archives for tests, proper and improper ones. */
final class TarBytes {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes, "UTF-8");

    TarBytes() {
        tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_GNU);
    }

    TarBytes file(String path, String content) {
        byte[] body = content.getBytes(StandardCharsets.UTF_8);
        TarArchiveEntry entry = new TarArchiveEntry(path, TarConstants.LF_NORMAL, true);
        entry.setSize(body.length);
        return add(entry, body);
    }

    TarBytes folder(String path) {
        return add(new TarArchiveEntry(path + "/", TarConstants.LF_DIR, true), new byte[0]);
    }

    TarBytes symlink(String path, String target) {
        return link(path, target, TarConstants.LF_SYMLINK);
    }

    TarBytes hardLink(String path, String target) {
        return link(path, target, TarConstants.LF_LINK);
    }

    TarBytes device(String path, int major, int minor) {
        TarArchiveEntry entry = new TarArchiveEntry(path, TarConstants.LF_CHR, true);
        entry.setDevMajor(major);
        entry.setDevMinor(minor);
        return add(entry, new byte[0]);
    }

    TarBytes type(String path, char type) {
        return add(new TarArchiveEntry(path, (byte) type, true), new byte[0]);
    }

    byte[] bytes() {
        try {
            tar.finish();
            return bytes.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    ArchiveSource source() {
        byte[] all = bytes();
        return () -> new ByteArrayInputStream(all);
    }

    static byte[] gzip(byte[] plain) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(plain);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    private TarBytes link(String path, String target, byte type) {
        TarArchiveEntry entry = new TarArchiveEntry(path, type, true);
        entry.setLinkName(target);
        return add(entry, new byte[0]);
    }

    private TarBytes add(TarArchiveEntry entry, byte[] body) {
        try {
            entry.setModTime(1_000_000_000L * 1000);
            tar.putArchiveEntry(entry);
            tar.write(body);
            tar.closeArchiveEntry();
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
