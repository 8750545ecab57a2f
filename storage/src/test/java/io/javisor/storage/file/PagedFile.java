package io.javisor.storage.file;

import io.javisor.storage.disk.DiskException;
import io.javisor.storage.disk.IoMemory;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.LongStream;

/** A file in memory that can be copied in no time and tells a listener what is done to it. For one thread at a time. */
public final class PagedFile implements BackingFile {
    private static final int PAGE = 4096;
    private static final long MOST_PAGES = 64 << 10;

    /** Something that was done to a file. */
    public sealed interface Change {
        /** Bytes were written. */
        @SuppressWarnings("ArrayRecordComponent") // owned by the record of changes
        record Written(long position, byte[] bytes) implements Change {}

        /** A range was zeroed. */
        record Zeroed(long position, long length) implements Change {}

        /** The length was set. */
        record Resized(long size) implements Change {}

        /** All that came before is on stable storage. */
        record Flushed() implements Change {}
    }

    private final Map<Long, byte[]> pages;
    // Pages that no copy shares.
    private final Set<Long> own = new HashSet<>();
    private long size;
    private boolean readOnly;
    private Consumer<Change> listener = _ -> {};

    public PagedFile() {
        this(new HashMap<>(), 0);
    }

    private PagedFile(Map<Long, byte[]> pages, long size) {
        this.pages = pages;
        this.size = size;
    }

    public PagedFile copy() {
        own.clear();
        return new PagedFile(new HashMap<>(pages), size);
    }

    public PagedFile listener(Consumer<Change> to) {
        listener = to;
        return this;
    }

    public PagedFile readOnly() {
        readOnly = true;
        return this;
    }

    public void apply(Change change) {
        switch (change) {
            case Change.Written w -> put(w.position, w.bytes, 0, w.bytes.length);
            case Change.Zeroed z -> clear(z.position, Math.min(z.length, Math.max(0, size - z.position)));
            case Change.Resized r -> setSize(r.size);
            case Change.Flushed _ -> {}
        }
    }

    private byte[] page(long index) {
        if (own.add(index)) {
            byte[] old = pages.get(index);
            if (old == null && pages.size() >= MOST_PAGES) {
                throw new DiskException(DiskException.Kind.NO_SPACE, "the test's file is full", null);
            }
            pages.put(index, old == null ? new byte[PAGE] : old.clone());
        }
        return Objects.requireNonNull(pages.get(index));
    }

    public void put(long position, byte[] bytes, int from, int length) {
        for (int done = 0; done < length; ) {
            long at = position + done;
            int n = (int) Math.min(length - done, PAGE - at % PAGE);
            System.arraycopy(bytes, from + done, page(at / PAGE), (int) (at % PAGE), n);
            done += n;
        }
        size = Math.max(size, position + length);
    }

    private void clear(long position, long length) {
        long end = position + length;
        long first = position / PAGE;
        long last = (end - 1) / PAGE;
        // Whichever is less: the range's pages or those that there are.
        var all = last - first < pages.size()
                ? LongStream.rangeClosed(first, last).boxed().filter(pages::containsKey)
                : Set.copyOf(pages.keySet()).stream();
        for (Long index : all.toList()) {
            long from = Math.max(position, index * PAGE);
            long to = Math.min(end, (index + 1) * PAGE);
            if (from >= to) {
                continue;
            }
            if (to - from == PAGE) {
                pages.remove(index);
                own.remove(index);
            } else {
                Arrays.fill(page(index), (int) (from - index * PAGE), (int) (to - index * PAGE), (byte) 0);
            }
        }
    }

    private void setSize(long newSize) {
        if (newSize < size) {
            clear(newSize, size - newSize);
        }
        size = newSize;
    }

    @Override
    public String name() {
        return "paged";
    }

    @Override
    public boolean isReadOnly() {
        return readOnly;
    }

    @Override
    public int alignment() {
        return 1;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public void read(long position, IoMemory into) {
        if (position < 0 || into.byteSize() > size - position) {
            throw new DiskException(
                    DiskException.Kind.READ, into.byteSize() + " bytes at " + position + " of a file of " + size, null);
        }
        for (long done = 0; done < into.byteSize(); ) {
            long at = position + done;
            long n = Math.min(into.byteSize() - done, PAGE - at % PAGE);
            byte[] page = pages.get(at / PAGE);
            if (page == null) {
                into.slice(done, n).clear();
            } else {
                into.put(done, MemorySegment.ofArray(page).asSlice(at % PAGE, n));
            }
            done += n;
        }
    }

    @Override
    public void write(long position, IoMemory from) {
        refuseIfReadOnly();
        did(new Change.Written(position, from.toByteArray()));
    }

    // Without native memory: fuzzing reads a lot.
    @Override
    public byte[] read(long position, int length) {
        byte[] bytes = new byte[length];
        read(position, IoMemory.of(bytes));
        return bytes;
    }

    @Override
    public void write(long position, byte[] bytes) {
        write(position, IoMemory.of(bytes));
    }

    @Override
    public void flush() {
        did(new Change.Flushed());
    }

    @Override
    public void resize(long newSize) {
        refuseIfReadOnly();
        did(new Change.Resized(newSize));
    }

    @Override
    public void zero(long position, long length, boolean release) {
        refuseIfReadOnly();
        did(new Change.Zeroed(position, length));
    }

    private void did(Change change) {
        apply(change);
        listener.accept(change);
    }

    private void refuseIfReadOnly() {
        if (readOnly) {
            throw new AssertionError("a read-only file was written");
        }
    }

    @Override
    public void close() {}
}
