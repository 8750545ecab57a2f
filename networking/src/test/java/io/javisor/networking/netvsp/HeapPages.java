package io.javisor.networking.netvsp;

import io.javisor.vmbus.channel.GuestBuffer;
import java.lang.foreign.MemorySegment;

/** A guest's buffer in ordinary memory, in runs of a size. */
final class HeapPages implements GuestBuffer {
    private final MemorySegment all;
    private final int run;

    HeapPages(byte[] bytes, int run) {
        all = MemorySegment.ofArray(bytes);
        this.run = run;
    }

    @Override
    public long length() {
        return all.byteSize();
    }

    @Override
    public int count() {
        return (int) ((all.byteSize() + run - 1) / run);
    }

    @Override
    public MemorySegment segment(int index) {
        long from = (long) index * run;
        return all.asSlice(from, Math.min(run, all.byteSize() - from));
    }

    @Override
    public void read(long offset, MemorySegment into) {
        into.copyFrom(all.asSlice(offset, into.byteSize()));
    }

    @Override
    public void write(long offset, MemorySegment from) {
        all.asSlice(offset, from.byteSize()).copyFrom(from);
    }
}
