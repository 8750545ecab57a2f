package io.javisor.storage.fibrechannel;

import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskTraits;
import io.javisor.storage.disk.IoMemory;

/** A disk whose reads last until a link is cut. */
record CuttingDisk(Disk disk, SanPort port) implements Disk {
    @Override
    public DiskTraits traits() {
        return disk.traits();
    }

    @Override
    public long size() {
        return disk.size();
    }

    @Override
    public void read(long offset, IoMemory into) {
        disk.read(offset, into);
        port.fail();
    }

    @Override
    public void write(long offset, IoMemory from, boolean durable) {
        disk.write(offset, from, durable);
    }

    @Override
    public void flush() {
        disk.flush();
    }

    @Override
    public void zero(long offset, long length, boolean release) {
        disk.zero(offset, length, release);
    }

    @Override
    public void close() {
        disk.close();
    }
}
