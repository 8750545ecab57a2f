package io.javisor.storage.file;

import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.IoMemory;

/** Reads of what a differencing disk has not: from its parent, and zeroes beyond the parent's end. */
public final class ParentReads implements AutoCloseable {
    private final Disk parent;

    /** @param parent owned */
    public ParentReads(Disk parent) {
        this.parent = parent;
    }

    /** The parent. */
    public Disk disk() {
        return parent;
    }

    /** Reads whole sectors. */
    public void read(long offset, IoMemory into) {
        long inside = Math.clamp(parent.size() - offset, 0, into.byteSize());
        if (inside > 0) {
            parent.read(offset, into.slice(0, inside));
        }
        if (inside < into.byteSize()) {
            into.slice(inside, into.byteSize() - inside).clear();
        }
    }

    @Override
    public void close() {
        parent.close();
    }
}
