package io.javisor.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
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
        add(piece, 0, piece.byteSize());
    }

    /** Adds a part of a piece of native memory after the others. */
    public void add(MemorySegment memory, long at, long length) {
        if (!memory.isNative()) {
            throw new IllegalArgumentException("not native memory: " + memory);
        }
        Objects.checkFromIndexSize(at, length, memory.byteSize());
        if (count == pieces.length) {
            throw new IllegalStateException("full: " + count + " pieces");
        }
        vectors.setAtIndex(JAVA_LONG, 2L * count, memory.address() + at);
        vectors.setAtIndex(JAVA_LONG, 2L * count + 1, length);
        pieces[count++] = memory;
        bytes += length;
    }

    /** Pieces that it can hold at most. */
    public int capacity() {
        return pieces.length;
    }

    private long length(int i) {
        return vectors.getAtIndex(JAVA_LONG, 2L * i + 1);
    }

    private long offset(int i) {
        return vectors.getAtIndex(JAVA_LONG, 2L * i) - piece(i).address();
    }

    /** Whether its pieces are of two arenas at most, so that one system call can keep them all alive. */
    public boolean fitsOneCall() {
        MemorySegment one = someArena(null);
        MemorySegment other = one == null ? null : someArena(one);
        return one == null || other == null || isWithin(one, other);
    }

    /** Writes all pieces by one call, as what takes a message at a time needs it; they {@linkplain #fitsOneCall fit}. */
    long writev(CallState state, int fd) {
        MemorySegment one = someArena(null);
        if (one == null) {
            throw new IllegalStateException("no pieces");
        }
        MemorySegment other = someArena(one);
        if (other != null && !isWithin(one, other)) {
            throw new IllegalStateException("pieces of more than two arenas");
        }
        return FileCalls.writev(state, fd, vectors, count, one, other == null ? one : other);
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

    /** Its piece, if there is one. */
    MemorySegment only() {
        if (count != 1) {
            throw new IllegalStateException(count + " pieces");
        }
        return piece(0);
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
            MemorySegment.copy(piece(i), offset(i), copy, at, length(i));
            at += length(i);
        }
    }

    void copyFrom(MemorySegment copy) {
        long at = 0;
        for (int i = 0; i < count && at < copy.byteSize(); i++) {
            long n = Math.min(length(i), copy.byteSize() - at);
            MemorySegment.copy(copy, at, piece(i), offset(i), n);
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
            long length = length(from);
            for (; to < count; to++) {
                MemorySegment next = piece(to);
                if (!next.scope().equals(one.scope()) && !next.scope().equals(two.scope())) {
                    if (!two.scope().equals(one.scope())) {
                        break;
                    }
                    two = next;
                }
                length += length(to);
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
