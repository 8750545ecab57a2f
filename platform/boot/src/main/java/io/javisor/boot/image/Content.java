package io.javisor.boot.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a regular file holds. The size is known before the bytes are read, as cpio wants it. */
sealed interface Content {
    long size();

    /** Bytes in memory. */
    final class Bytes implements Content {
        private final byte[] bytes;

        Bytes(byte[] bytes) {
            this.bytes = bytes;
        }

        @Override
        public long size() {
            return bytes.length;
        }
    }

    /** A file of the host, uncompressed. */
    record HostFile(Path file, long size) implements Content {}

    /** A kernel module, decompressed on the way. */
    record Module(KernelModule module) implements Content {
        @Override
        public long size() {
            return module.size();
        }
    }

    /** The entry with this number, counted from 0, of the archive with this number: read when that archive is streamed. */
    record Archived(int archive, int ordinal, long size) implements Content {}

    /** Opens a content that is not in an archive. */
    static InputStream open(Content content) throws IOException {
        return switch (content) {
            case Bytes bytes -> new ByteArrayInputStream(bytes.bytes);
            case HostFile host -> Files.newInputStream(host.file);
            case Module module -> module.module.open();
            case Archived archived -> throw new IllegalStateException("contents of archives are streamed: " + archived);
        };
    }
}
