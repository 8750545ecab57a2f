package io.javisor.linux;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Mappings that end together. Safe from any thread. */
public final class MappingGroup implements AutoCloseable {
    private final List<Mapping> all = new ArrayList<>(); // guarded by this, as is the rest
    private boolean closed;

    /** An empty group. */
    public MappingGroup() {}

    /**
     * Maps part of a file or device, until the group closes.
     *
     * @param offset where in the file, a multiple of 4 KiB
     * @param length bytes, rounded up to 4 KiB by the kernel
     * @throws IllegalStateException if the group is closed
     */
    public synchronized MemorySegment map(Descriptor file, long offset, long length, Mapping.Access access) {
        if (closed) {
            throw new IllegalStateException("the group of mappings is closed");
        }
        Mapping made = Mapping.of(file, offset, length, access);
        all.add(made);
        return made.segment();
    }

    /** Closes all, as {@link Mapping#close()} does. Idempotent. */
    @Override
    public synchronized void close() {
        closed = true;
        Mapping.close(all);
        all.clear();
    }
}
