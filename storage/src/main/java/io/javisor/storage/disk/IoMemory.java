package io.javisor.storage.disk;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.IntFunction;

/**
 * The memory of one transfer: pieces, one after the other. Immutable, though the bytes are not. Pieces of native memory are
 * handed to the kernel as they are; heap pieces cost a copy.
 */
public final class IoMemory {
    private final MemorySegment[] pieces;
    private final long bytes;

    private IoMemory(MemorySegment[] pieces, long bytes) {
        this.pieces = pieces;
        this.bytes = bytes;
    }

    /** One piece. */
    public static IoMemory of(MemorySegment piece) {
        return new IoMemory(new MemorySegment[] {piece}, piece.byteSize());
    }

    /** Several pieces, in order. */
    public static IoMemory of(List<MemorySegment> pieces) {
        return adopt(pieces.toArray(MemorySegment[]::new));
    }

    /** Several pieces, in order, which a function gives by number; makes nothing besides. */
    public static IoMemory of(int count, IntFunction<MemorySegment> pieces) {
        var all = new MemorySegment[count];
        for (int i = 0; i < count; i++) {
            all[i] = pieces.apply(i);
        }
        return adopt(all);
    }

    /** All of an array. */
    public static IoMemory of(byte[] bytes) {
        return of(MemorySegment.ofArray(bytes));
    }

    /** New native memory of zeroes, aligned to 4,096 bytes, alive as long as it is reachable. */
    public static IoMemory allocate(long bytes) {
        return of(Arena.ofAuto().allocate(bytes, 4096));
    }

    private static IoMemory adopt(MemorySegment[] pieces) {
        long sum = 0;
        for (MemorySegment piece : pieces) {
            sum = Math.addExact(sum, piece.byteSize());
        }
        return new IoMemory(pieces, sum);
    }

    /** Bytes in all. */
    public long byteSize() {
        return bytes;
    }

    /** Pieces in all. */
    public int count() {
        return pieces.length;
    }

    /** One piece, from 0. */
    public MemorySegment piece(int index) {
        return pieces[index];
    }

    /**
     * A part of it.
     *
     * @throws IndexOutOfBoundsException if it is not all inside
     */
    public IoMemory slice(long offset, long length) {
        if ((offset | length) < 0 || length > bytes - offset) {
            throw new IndexOutOfBoundsException(
                    "bytes " + offset + " to " + (offset + length) + " of memory of " + bytes + " bytes");
        }
        if (length == bytes) {
            return this;
        }
        if (length == 0) {
            return new IoMemory(new MemorySegment[0], 0);
        }
        int first = 0;
        long skip = offset;
        while (skip >= pieces[first].byteSize()) {
            skip -= pieces[first++].byteSize();
        }
        int last = first;
        long end = skip + length;
        while (end > pieces[last].byteSize()) {
            end -= pieces[last++].byteSize();
        }
        var part = new MemorySegment[last - first + 1];
        System.arraycopy(pieces, first, part, 0, part.length);
        part[part.length - 1] = part[part.length - 1].asSlice(0, end);
        part[0] = part[0].asSlice(skip);
        return new IoMemory(part, length);
    }

    /** Copies bytes out, from an offset, as many as the target takes. */
    public void get(long offset, MemorySegment into) {
        IoMemory part = slice(offset, into.byteSize());
        long at = 0;
        for (MemorySegment piece : part.pieces) {
            MemorySegment.copy(piece, 0, into, at, piece.byteSize());
            at += piece.byteSize();
        }
    }

    /** Copies bytes in, at an offset, all of the source. */
    public void put(long offset, MemorySegment from) {
        IoMemory part = slice(offset, from.byteSize());
        long at = 0;
        for (MemorySegment piece : part.pieces) {
            MemorySegment.copy(from, at, piece, 0, piece.byteSize());
            at += piece.byteSize();
        }
    }

    /** A copy of all bytes, at most 2 GiB. */
    public byte[] toByteArray() {
        byte[] copy = new byte[Math.toIntExact(bytes)];
        get(0, MemorySegment.ofArray(copy));
        return copy;
    }

    /** Makes all bytes zero. */
    public void clear() {
        for (MemorySegment piece : pieces) {
            piece.fill((byte) 0);
        }
    }
}
