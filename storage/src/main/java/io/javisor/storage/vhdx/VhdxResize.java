package io.javisor.storage.vhdx;

import io.javisor.storage.file.HostBackingFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/** Changes the size of the disk in a VHDX file, in place; what matters changes in one log entry. */
public final class VhdxResize {
    private VhdxResize() {}

    /** Resizes; the caller has made sure that nothing is lost, or accepts it. */
    public static void resize(Path path, long size) {
        HostBackingFile file = HostBackingFile.open(path, false, false);
        VhdxStore store;
        try {
            store = VhdxStore.open(file);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
        try (store) {
            Metadata m = store.metadata;
            if (size == m.diskBytes()) {
                return;
            }
            // The contents that remain are the same, but children were made for another size.
            store.begin(UUID.randomUUID());
            var changed = new TreeMap<Long, byte[]>();
            if (size < m.diskBytes()) {
                cut(store, size);
            } else {
                grow(store, size, changed);
            }
            patch(
                    store,
                    changed,
                    m.sizeAt(),
                    Layout.little(new byte[8]).putLong(0, size).array());
            store.commitPages(changed);
        }
    }

    private static void cut(VhdxStore store, long size) {
        Bat bat = store.bat;
        long keep = (size + bat.blockBytes - 1) / bat.blockBytes;
        for (long block = size / bat.blockBytes; block < bat.blocks; block++) {
            store.lockToChange();
            try {
                long at = bat.payloadEntryAt(block);
                long entry = store.pages.get(at);
                if (Bat.isAllocated(entry)) {
                    Bat.check(
                            store.file.name(),
                            at,
                            entry,
                            bat.blockBytes,
                            store.file.size(),
                            store.regions,
                            store.header());
                }
                if (block >= keep) {
                    if (entry != 0) {
                        store.pages.set(at, 0);
                    }
                    if (Bat.isAllocated(entry)) {
                        store.space.release(Bat.fileOffset(entry), bat.blockBytes);
                    }
                } else if (Bat.isAllocated(entry)) {
                    // A later growth must find zeroes there.
                    long from = size % bat.blockBytes;
                    store.file.zero(Bat.fileOffset(entry) + from, bat.blockBytes - from, true);
                }
            } finally {
                store.lock.writeLock().unlock();
            }
        }
        store.commit();
    }

    private static void grow(VhdxStore store, long size, Map<Long, byte[]> changed) {
        Bat old = store.bat;
        var bigger = new Bat(old.offset, size, old.blockBytes, old.sectorBytes, store.metadata.parent() != null);
        long oldBytes = old.entries * 8;
        if (bigger.entries * 8 <= store.regions.batLength()) {
            clear(store, old.offset + oldBytes, old.offset + store.regions.batLength());
            return;
        }
        long length = Layout.roundUp(bigger.entries * 8, Layout.MIB);
        long place = Layout.roundUp(store.file.size(), Layout.MIB);
        store.file.resize(place + length);
        for (long at = 0; at < oldBytes; at += Layout.MIB) {
            int n = (int) Math.min(Layout.MIB, oldBytes - at);
            store.file.write(place + at, store.file.read(old.offset + at, n));
        }
        byte[] table = new Regions(place, length, store.regions.metadataOffset(), store.regions.metadataLength())
                .toByteArray();
        byte[] page = java.util.Arrays.copyOf(table, Layout.PAGE);
        changed.put(Layout.REGIONS_1, page);
        changed.put(Layout.REGIONS_2, page);
        for (long rest = Layout.PAGE; rest < Layout.REGION_TABLE_BYTES; rest += Layout.PAGE) {
            // The checksum covers the whole table, and other makers may have left entries here.
            changed.put(Layout.REGIONS_1 + rest, new byte[Layout.PAGE]);
            changed.put(Layout.REGIONS_2 + rest, new byte[Layout.PAGE]);
        }
    }

    /** Zeroes entries that nothing uses yet. */
    private static void clear(VhdxStore store, long from, long to) {
        long page = Layout.roundUp(from, Layout.PAGE);
        store.lockToChange();
        try {
            for (long at = from; at < Math.min(page, to); at += 8) {
                store.pages.set(at, 0);
            }
        } finally {
            store.lock.writeLock().unlock();
        }
        if (page < to) {
            store.file.zero(page, to - page, true);
        }
        store.commit();
    }

    /** Changes bytes of the file in copies of its pages. */
    static void patch(VhdxStore store, Map<Long, byte[]> pages, long at, byte[] bytes) {
        for (int done = 0; done < bytes.length; ) {
            long pageAt = (at + done) & -Layout.PAGE;
            byte[] page = pages.computeIfAbsent(pageAt, p -> store.file.read(p, Layout.PAGE));
            int from = (int) (at + done - pageAt);
            int n = Math.min(bytes.length - done, Layout.PAGE - from);
            ByteBuffer.wrap(page).put(from, bytes, done, n);
            done += n;
        }
    }
}
