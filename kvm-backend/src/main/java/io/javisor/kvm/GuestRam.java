package io.javisor.kvm;

import io.javisor.linux.HostFile;
import io.javisor.linux.Mapping;
import io.javisor.linux.PageSize;
import io.javisor.partition.GuestAddressException;
import java.lang.foreign.MemorySegment;

/**
 * Memory in a slot of a VM, with a memory file of its own behind it: made by {@link KvmVm#mapMemory}. Addresses are
 * guest-physical and checked. Closing takes it away from the guest, then from this process.
 */
public final class GuestRam implements AutoCloseable {
    private final KvmVm vm;
    private final int slot;
    private final long gpa;
    private final HostFile file;
    private final Mapping mapping;
    private boolean closed;

    private GuestRam(KvmVm vm, int slot, long gpa, HostFile file, Mapping mapping) {
        this.vm = vm;
        this.slot = slot;
        this.gpa = gpa;
        this.file = file;
        this.mapping = mapping;
    }

    static GuestRam map(KvmVm vm, int slot, long gpa, long size, MemoryFlag... flags) {
        HostFile file = HostFile.memory("guest-ram", PageSize.KIB_4);
        Mapping mapping = null;
        try {
            file.truncate(size);
            mapping = Mapping.of(file.descriptor(), 0, size, Mapping.Access.SHARED);
            vm.setMemory(slot, gpa, mapping.segment(), flags);
            return new GuestRam(vm, slot, gpa, file, mapping);
        } catch (RuntimeException e) {
            if (mapping != null) {
                mapping.close();
            }
            file.close();
            throw e;
        }
    }

    /** First guest-physical address. */
    public long gpa() {
        return gpa;
    }

    /** The slot's number. */
    public int slot() {
        return slot;
    }

    /** Bytes. */
    public long size() {
        return mapping.size();
    }

    /** All of it; offset 0 is {@link #gpa()}. */
    public MemorySegment segment() {
        return mapping.segment();
    }

    /** Bytes that the host holds for it now. */
    public long residentBytes() {
        return file.status().allocatedBytes();
    }

    /** Copies bytes into guest memory. */
    public void write(long address, byte... bytes) {
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, segment(), at(address, bytes.length), bytes.length);
    }

    /** Copies guest memory out. */
    public byte[] read(long address, int length) {
        byte[] bytes = new byte[length];
        MemorySegment.copy(segment(), at(address, length), MemorySegment.ofArray(bytes), 0, length);
        return bytes;
    }

    private long at(long address, long length) {
        long offset = address - gpa;
        if (address < gpa || offset > size() - length) {
            throw new GuestAddressException(address, length);
        }
        return offset;
    }

    /** Removes the slot and gives the memory back. Idempotent. */
    @Override
    public synchronized void close() {
        if (!closed) {
            vm.removeMemory(slot);
            mapping.close();
            file.close();
            closed = true;
        }
    }
}
