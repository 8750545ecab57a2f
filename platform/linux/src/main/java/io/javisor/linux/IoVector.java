package io.javisor.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A list of pieces of native memory for one scattered transfer, reusable and for one thread at a time. Filling and
 * transferring allocate nothing. The pieces' memory stays alive for the length of each system call; pieces from more than
 * two arenas are transferred by several calls.
 */
public final class IoVector {
    /** The kernel's limit (UIO_MAXIOV, linux/uio.h). */
    public static final int MAX_PIECES = 1024;

    private static final int IOVEC_BYTES = 16;

    private final MemorySegment vectors;
    private final @Nullable MemorySegment[] pieces;
    private int count;
    private long bytes;

    /**
     * @param capacity most pieces that it can hold, 1 to {@link #MAX_PIECES}
     */
    public IoVector(int capacity) {
        if (capacity < 1 || capacity > MAX_PIECES) {
            throw new IllegalArgumentException("capacity " + capacity + " is not in 1.." + MAX_PIECES);
        }
        vectors = Arena.ofAuto().allocate((long) capacity * IOVEC_BYTES, 8);
        pieces = new MemorySegment[capacity];
    }

    /** Forgets the pieces. */
    public void clear() {
        for (int i = 0; i < count; i++) {
            pieces[i] = null;
        }
        count = 0;
        bytes = 0;
    }

    /** Adds a piece of native memory after the others. */
    public void add(MemorySegment piece) {
        if (!piece.isNative()) {
            throw new IllegalArgumentException("not native memory: " + piece);
        }
        if (count == pieces.length) {
            throw new IllegalStateException("full: " + count + " pieces");
        }
        vectors.setAtIndex(JAVA_LONG, 2L * count, piece.address());
        vectors.setAtIndex(JAVA_LONG, 2L * count + 1, piece.byteSize());
        pieces[count++] = piece;
        bytes += piece.byteSize();
    }

    /** Pieces in it. */
    public int size() {
        return count;
    }

    /** Bytes in all its pieces. */
    public long byteSize() {
        return bytes;
    }

    /** Where the kernel finds the list. */
    long address() {
        return vectors.address();
    }

    /** Copies the list that the kernel reads, 16 bytes for each piece: address, length. */
    void copyListTo(MemorySegment list) {
        MemorySegment.copy(vectors, 0, list, 0, (long) count * IOVEC_BYTES);
    }

    /** A piece of memory that is of another arena than one; null if all are of one. */
    @Nullable
    MemorySegment someArena(@Nullable MemorySegment than) {
        for (int i = 0; i < count; i++) {
            if (than == null || !piece(i).scope().equals(than.scope())) {
                return piece(i);
            }
        }
        return null;
    }

    /** Whether all pieces are of two arenas. */
    boolean isWithin(MemorySegment one, MemorySegment other) {
        for (int i = 0; i < count; i++) {
            var scope = piece(i).scope();
            if (!scope.equals(one.scope()) && !scope.equals(other.scope())) {
                return false;
            }
        }
        return true;
    }

    void copyTo(MemorySegment copy) {
        long at = 0;
        for (int i = 0; i < count; i++) {
            MemorySegment.copy(piece(i), 0, copy, at, piece(i).byteSize());
            at += piece(i).byteSize();
        }
    }

    void copyFrom(MemorySegment copy) {
        long at = 0;
        for (int i = 0; i < count && at < copy.byteSize(); i++) {
            long n = Math.min(piece(i).byteSize(), copy.byteSize() - at);
            MemorySegment.copy(copy, at, piece(i), 0, n);
            at += n;
        }
    }

    private enum Call {
        READ,
        WRITE,
        READ_NO_WAIT,
        WRITE_NO_WAIT
    }

    long preadv(CallState state, int fd, long position) {
        return transfer(state, fd, position, Call.READ);
    }

    long pwritev(CallState state, int fd, long position) {
        return transfer(state, fd, position, Call.WRITE);
    }

    long preadvNoWait(CallState state, int fd, long position) {
        return transfer(state, fd, position, Call.READ_NO_WAIT);
    }

    long pwritevNoWait(CallState state, int fd, long position) {
        return transfer(state, fd, position, Call.WRITE_NO_WAIT);
    }

    private long transfer(CallState state, int fd, long position, Call call) {
        long done = 0;
        for (int from = 0; from < count; ) {
            MemorySegment one = piece(from);
            MemorySegment two = one;
            int to = from + 1;
            long length = one.byteSize();
            for (; to < count; to++) {
                MemorySegment next = piece(to);
                if (!next.scope().equals(one.scope()) && !next.scope().equals(two.scope())) {
                    if (!two.scope().equals(one.scope())) {
                        break;
                    }
                    two = next;
                }
                length += next.byteSize();
            }
            MemorySegment run = from == 0 ? vectors : vectors.asSlice((long) from * IOVEC_BYTES);
            int many = to - from;
            long at = position + done;
            long n = switch (call) {
                case READ -> FileCalls.preadv(state, fd, run, many, at, one, two);
                case WRITE -> FileCalls.pwritev(state, fd, run, many, at, one, two);
                case READ_NO_WAIT -> FileCalls.preadvNoWait(state, fd, run, many, at, one, two);
                case WRITE_NO_WAIT -> FileCalls.pwritevNoWait(state, fd, run, many, at, one, two);
            };
            if (n < 0) {
                return done == 0 ? n : done;
            }
            done += n;
            if (n < length) {
                return done;
            }
            from = to;
        }
        return done;
    }

    private MemorySegment piece(int i) {
        MemorySegment piece = pieces[i];
        if (piece == null) {
            throw new IllegalStateException("used by two threads at once");
        }
        return piece;
    }
}
