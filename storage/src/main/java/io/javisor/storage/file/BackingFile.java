package io.javisor.storage.file;

import io.javisor.storage.disk.IoEngine;
import io.javisor.storage.disk.IoMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A file that holds a disk. Safe from any thread; errors are {@link io.javisor.storage.disk.DiskException}s. Writes reach
 * stable storage in any order until {@link #flush} says that they are there.
 */
public interface BackingFile extends AutoCloseable {
    /** For messages: its path. */
    String name();

    /** Whether it refuses writes. */
    boolean isReadOnly();

    /** What positions and lengths must be multiples of: 1, or more for direct I/O. */
    int alignment();

    /** Length in bytes. */
    long size();

    /** Reads all of a range; one that is not in the file is an error. */
    void read(long position, IoMemory into);

    /** Writes all; the file grows to hold it. */
    void write(long position, IoMemory from);

    /**
     * Reads all of a range if that waits for nothing, neither a device nor a lock that is held while somebody waits for one.
     *
     * @return false if it would wait, or can't be told; the memory may have been changed. What is wrong {@link #read} says
     */
    default boolean tryRead(long position, IoMemory into) {
        return false;
    }

    /** Writes all of a range inside the file if that waits for nothing; false as of {@link #tryRead}, some may be written. */
    default boolean tryWrite(long position, IoMemory from) {
        return false;
    }

    /**
     * Begins a transfer of all of a range inside the file without a thread that waits.
     *
     * @return false if there is no such way now: nothing has happened
     */
    default boolean begin(
            long position, IoMemory memory, boolean writing, IoEngine engine, IoEngine.Completion completion) {
        return false;
    }

    /** Returns when what was written, and the length, is on stable storage. */
    void flush();

    /** Sets the length; what is added reads as zeroes. */
    void resize(long size);

    /** Makes a range inside the file read as zeroes, and gives its storage back if asked to and if the host can. */
    void zero(long position, long length, boolean release);

    /** Closes it. Idempotent. */
    @Override
    void close();

    /** Reads a few bytes; a multiple of the alignment. */
    default byte[] read(long position, int length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(length, 4096);
            read(position, IoMemory.of(memory));
            return memory.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /** Writes a few bytes; a multiple of the alignment. */
    default void write(long position, byte[] bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(bytes.length, 4096);
            MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 0, bytes.length);
            write(position, IoMemory.of(memory));
        }
    }
}
