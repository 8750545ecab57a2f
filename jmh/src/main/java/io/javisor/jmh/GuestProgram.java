package io.javisor.jmh;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Machine code of a guest in src/main/guest. */
final class GuestProgram {
    private GuestProgram() {}

    /** What {@code jmh/build} has assembled beside the peer. */
    static byte[] read(String file) {
        Path peer = Path.of(System.getProperty(PeerProfiler.PROGRAM, ""));
        try {
            return Files.readAllBytes(peer.resolveSibling(file));
        } catch (IOException e) {
            throw new UncheckedIOException("jmh/build assembles it beside the peer", e);
        }
    }
}
