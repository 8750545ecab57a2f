package io.javisor.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Ranges of this process's address space that end together; safe from any thread. Closing takes the JVM a handshake with all
 * of its threads: one for a group, however many ranges are in it, where {@link Mapping}s take one each.
 */
public final class MappingGroup implements AutoCloseable {
    private final Arena arena = Arena.ofShared();

    /** An empty group. */
    public MappingGroup() {}

    /**
     * Maps part of a file or device, until the group closes.
     *
     * @param offset where in the file, a multiple of 4 KiB
     * @param length bytes, rounded up to 4 KiB by the kernel
     * @throws IllegalStateException if the group is closed
     */
    public MemorySegment map(Descriptor file, long offset, long length, Mapping.Access access) {
        long address = Mapping.address(file, offset, length, access);
        return Libc.view(address, length, arena, () -> MemoryCalls.munmap(CallState.current(), address, length));
    }

    /**
     * Unmaps all. Idempotent. Waits up to a second for system calls on the memory to end.
     *
     * @throws IllegalStateException if a system call still uses it then; it stays mapped
     */
    @Override
    public void close() {
        Mapping.close(arena);
    }
}
