package io.javisor.boot.debian;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.ar.ArArchiveEntry;
import org.apache.commons.compress.archivers.ar.ArArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/** A Debian package file (deb(5)): an ar archive of debian-binary, control.tar.* and data.tar.*, in this order. */
final class DebFile {
    /** The largest kernel package unpacks to half a GiB. */
    static final long MAX_DATA = 4L << 30;

    private static final int XZ_MEMORY_KIB = 160 * 1024; // dpkg-deb compresses with at most xz -9: 64 MiB of dictionary

    private DebFile() {}

    /** Decompresses the package's files to a plain tar archive. */
    static void extractData(Path deb, Path tar) {
        try (ArArchiveInputStream ar =
                new ArArchiveInputStream(new BufferedInputStream(Files.newInputStream(deb), 1 << 16))) {
            for (ArArchiveEntry entry = ar.getNextEntry(); entry != null; entry = ar.getNextEntry()) {
                switch (entry.getName()) {
                    case "data.tar.xz" -> {
                        copy(new XZInputStream(ar, XZ_MEMORY_KIB), deb, tar);
                        return;
                    }
                    case "data.tar.gz" -> {
                        copy(new GZIPInputStream(ar, 1 << 16), deb, tar);
                        return;
                    }
                    case "data.tar" -> {
                        copy(ar, deb, tar);
                        return;
                    }
                    case "data.tar.zst" -> { // Ubuntu's
                        byDpkg(deb, tar);
                        return;
                    }
                    default -> {} // debian-binary, control.tar.*
                }
            }
        } catch (IOException | RuntimeException e) {
            throw e instanceof DebianException typed ? typed : damaged(deb, String.valueOf(e.getMessage()), e);
        }
        throw damaged(deb, "no data.tar in it", null);
    }

    private static void copy(InputStream in, Path deb, Path tar) throws IOException {
        byte[] buffer = new byte[1 << 16];
        long total = 0;
        try (OutputStream out = Files.newOutputStream(tar)) {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                total += count;
                if (total > MAX_DATA) {
                    throw damaged(deb, "it unpacks to more than " + MAX_DATA + " bytes", null);
                }
                out.write(buffer, 0, count);
            }
        }
    }

    private static void byDpkg(Path deb, Path tar) {
        List<String> command =
                List.of("sh", "-c", "exec dpkg-deb --fsys-tarfile \"$0\" > \"$1\"", deb.toString(), tar.toString());
        Command.Result result = Command.run(null, 300, command);
        if (result.code() != 0) {
            throw damaged(deb, "dpkg-deb --fsys-tarfile failed: " + result.complaint(), null);
        }
    }

    private static DebianException damaged(
            Path deb, String problem, @org.jspecify.annotations.Nullable Throwable cause) {
        return new DebianException(
                "debian-package",
                "the package file " + deb.getFileName() + " cannot be read: " + problem,
                "fetch it again",
                cause);
    }
}
