package io.javisor.storage.scsi;

import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskTraits;
import io.javisor.storage.disk.IoMemory;
import java.util.concurrent.CountDownLatch;

/** A disk whose first write begins and does not end until it is let go. */
final class HeldDisk implements Disk {
    final CountDownLatch begun = new CountDownLatch(1);
    final CountDownLatch goOn = new CountDownLatch(1);
    private final Disk disk;

    HeldDisk(Disk disk) {
        this.disk = disk;
    }

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
    }

    @Override
    public void write(long offset, IoMemory from, boolean durable) {
        begun.countDown();
        try {
            goOn.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
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
