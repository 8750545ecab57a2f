package io.javisor.boot.image;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;
import org.tukaani.xz.XZInputStream;

/**
 * Recognises a compressed stream by its first bytes and opens it. gzip (RFC 1952) and xz are read here; zstd (RFC 8878) has no
 * sound pure-Java reader, so the {@code zstd} program reads it if there is one. Anything else passes as it is.
 */
final class Decompression {
    /** Debian's packages use dictionaries of up to 64 MiB ({@code xz -9}); a hostile header may ask for 4 GiB. */
    private static final int XZ_MEMORY_KIB = 160 * 1024;

    private static final int MAGIC = 6;

    private Decompression() {}

    static InputStream open(String name, InputStream raw) throws IOException {
        BufferedInputStream in = new BufferedInputStream(raw, 1 << 16);
        in.mark(MAGIC);
        byte[] head = in.readNBytes(MAGIC);
        in.reset();
        if (startsWith(head, 0x1F, 0x8B)) {
            return new GZIPInputStream(in, 1 << 16);
        }
        if (startsWith(head, 0xFD, '7', 'z', 'X', 'Z', 0)) {
            return new XZInputStream(in, XZ_MEMORY_KIB);
        }
        if (startsWith(head, 0x28, 0xB5, 0x2F, 0xFD)) {
            return ZstdProcess.open(name, in);
        }
        return in;
    }

    private static boolean startsWith(byte[] head, int... magic) {
        if (head.length < magic.length) {
            return false;
        }
        for (int i = 0; i < magic.length; i++) {
            if (head[i] != (byte) magic[i]) {
                return false;
            }
        }
        return true;
    }
}
