package io.javisor.storage.disk;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Copies disks piece by piece, leaving out what is known to be zero. */
final class ImageCopy {
    private static final int PIECE = 1 << 20;

    /** What of a source goes over. */
    enum What {
        /** Everything that is not zero, to a disk of zeroes. */
        CONTENTS,
        /** What the disk itself stores, zeroes too, and nothing of its parent. */
        DIFFERENCES
    }

    private ImageCopy() {}

    static void copy(Disk from, Disk to, What what, Progress progress) {
        long end = Math.min(from.size(), to.size());
        try (Arena arena = Arena.ofShared()) {
            MemorySegment buffer = arena.allocate(PIECE, 4096);
            for (long at = 0; at < end; ) {
                Extent extent = from.extent(at, Math.min(end - at, 1L << 30));
                switch (extent.kind()) {
                    case ZERO -> {
                        if (what == What.DIFFERENCES) {
                            to.zero(at, extent.length(), true);
                        }
                    }
                    case PARENT -> {
                        if (what == What.CONTENTS) {
                            copyPieces(from, to, at, extent.length(), buffer, what);
                        }
                    }
                    case DATA -> copyPieces(from, to, at, extent.length(), buffer, what);
                }
                at += extent.length();
                progress.at(at, end);
            }
        }
        to.flush();
    }

    private static void copyPieces(Disk from, Disk to, long at, long length, MemorySegment buffer, What what) {
        for (long done = 0; done < length; ) {
            long n = Math.min(length - done, PIECE - (at + done) % PIECE);
            MemorySegment piece = buffer.asSlice(0, n);
            from.read(at + done, IoMemory.of(piece));
            if (!isZero(piece)) {
                to.write(at + done, IoMemory.of(piece), false);
            } else if (what == What.DIFFERENCES) {
                to.zero(at + done, n, true);
            }
            done += n;
        }
    }

    private static boolean isZero(MemorySegment piece) {
        // One byte is zero and all are like their neighbour.
        long n = piece.byteSize();
        return piece.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0) == 0
                && piece.asSlice(0, n - 1).mismatch(piece.asSlice(1, n - 1)) < 0;
    }
}
