package io.javisor.storage.file;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.IoMemory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;

/**
 * Records what a disk does to its file during a random workload, then pulls the plug at every point of the record, several
 * times: what was flushed is there; of the rest any part is, in any order, each write possibly only to some of its sectors.
 * The disk must open, and every sector must hold what it had at the last flush or something written since.
 */
public final class CrashHarness {
    private static final int SECTOR = 512;

    /** What the record holds: changes of the file and, between them, what the disk's user did. */
    private sealed interface Event {
        record OfFile(PagedFile.Change change) implements Event {}

        record Writing(int sector, int count, long stamp) implements Event {}

        record Durable(int sector, int count) implements Event {}

        record AllDurable() implements Event {}
    }

    private final List<Event> events = new ArrayList<>();
    private final PagedFile start;
    private final int sectors;
    private final long[] initial;
    private final Function<BackingFile, Disk> opener;
    private int cuts;

    /**
     * @param start the image, complete and flushed
     * @param size of the disk in bytes
     * @param initial stamp of each sector
     * @param opener opens the disk
     */
    public CrashHarness(PagedFile start, int size, long[] initial, Function<BackingFile, Disk> opener) {
        this.start = start;
        this.opener = opener;
        this.initial = initial.clone();
        sectors = size / SECTOR;
    }

    /** A sector's contents: its stamp at both ends; zeroes for 0. */
    public static byte[] sectors(long stamp, int count) {
        byte[] data = new byte[count * SECTOR];
        var out = java.nio.ByteBuffer.wrap(data);
        for (int i = 0; i < count; i++) {
            out.putLong(i * SECTOR, stamp);
            out.putLong((i + 1) * SECTOR - 8, stamp);
        }
        return data;
    }

    /** Works on the disk at random, without a crash, and closes it. */
    public void record(long seed, int requests, int spread) {
        var random = new Random(seed);
        PagedFile file = start.copy().listener(c -> events.add(new Event.OfFile(c)));
        try (Disk disk = opener.apply(file)) {
            for (int i = 1; i <= requests; i++) {
                int count = 1 + random.nextInt(random.nextInt(6) == 0 ? spread : 24);
                int at = random.nextInt(sectors - count + 1);
                int what = random.nextInt(20);
                if (what < 10) {
                    boolean durable = what == 0;
                    events.add(new Event.Writing(at, count, i));
                    disk.write((long) at * SECTOR, IoMemory.of(sectors(i, count)), durable);
                    if (durable) {
                        events.add(new Event.Durable(at, count));
                    }
                } else if (what < 13) {
                    events.add(new Event.Writing(at, count, 0));
                    disk.zero((long) at * SECTOR, (long) count * SECTOR, random.nextBoolean());
                } else if (what < 15) {
                    int perMib = (1 << 20) / SECTOR;
                    int first = at / perMib * perMib;
                    int n = Math.min(perMib, sectors - first);
                    events.add(new Event.Writing(first, n, 0));
                    disk.zero((long) first * SECTOR, (long) n * SECTOR, true);
                } else if (what < 18) {
                    disk.flush();
                    events.add(new Event.AllDurable());
                }
            }
        }
        events.add(new Event.AllDurable());
    }

    /** How often the plug was pulled. */
    public int cuts() {
        return cuts;
    }

    /**
     * Pulls the plug at every point.
     *
     * @param timesEach how often at each
     * @param flushesCount whether flushes keep what they promise; if not, the harness must find that out
     */
    public void pullThePlugEverywhere(long seed, int timesEach, boolean flushesCount) {
        var random = new Random(seed);
        PagedFile durable = start.copy();
        var pending = new ArrayList<PagedFile.Change>();
        long[] flushed = initial.clone();
        Map<Integer, Set<Long>> since = new HashMap<>();
        for (Event event : events) {
            switch (event) {
                case Event.OfFile(PagedFile.Change change) -> {
                    if (change instanceof PagedFile.Change.Flushed) {
                        if (flushesCount) {
                            pending.forEach(durable::apply);
                            pending.clear();
                        }
                    } else {
                        pending.add(change);
                    }
                    for (int i = 0; i < timesEach; i++) {
                        PagedFile crashed = crash(random, durable, pending, i);
                        verify(crashed, flushed, since, random);
                        cuts++;
                    }
                }
                case Event.Writing w -> {
                    for (int s = w.sector; s < w.sector + w.count; s++) {
                        since.computeIfAbsent(s, _ -> new java.util.LinkedHashSet<>())
                                .add(w.stamp);
                        latest(s, w.stamp);
                    }
                }
                case Event.Durable d -> {
                    for (int s = d.sector; s < d.sector + d.count; s++) {
                        flushed[s] = newest.getOrDefault(s, 0L);
                        since.remove(s);
                    }
                }
                case Event.AllDurable _ -> {
                    newest.forEach((s, stamp) -> flushed[s] = stamp);
                    since.clear();
                }
            }
        }
    }

    private final Map<Integer, Long> newest = new HashMap<>();

    private void latest(int sector, long stamp) {
        newest.put(sector, stamp);
    }

    private static PagedFile crash(Random random, PagedFile durable, List<PagedFile.Change> pending, int turn) {
        PagedFile file = durable.copy();
        var survivors = new ArrayList<>(pending);
        if (turn == 0) {
            return file; // nothing since the flush
        }
        if (turn > 1) { // the first time all of it, in order
            Collections.shuffle(survivors, random);
            int odds = random.nextInt(100);
            survivors.removeIf(_ -> random.nextInt(100) < odds);
        }
        for (PagedFile.Change change : survivors) {
            if (turn > 2 && change instanceof PagedFile.Change.Written w && w.bytes().length > SECTOR) {
                for (int at = 0; at < w.bytes().length; at += SECTOR) {
                    if (random.nextInt(4) != 0) {
                        file.put(w.position() + at, w.bytes(), at, Math.min(SECTOR, w.bytes().length - at));
                    }
                }
            } else {
                file.apply(change);
            }
        }
        return file;
    }

    private void verify(PagedFile crashed, long[] flushed, Map<Integer, Set<Long>> since, Random random) {
        PagedFile opened = crashed;
        if (random.nextInt(4) == 0) {
            opened = crashDuringReplay(crashed, random);
        }
        if (random.nextInt(4) == 0) {
            try (Disk disk = opener.apply(opened.copy().readOnly())) {
                check(disk, flushed, since);
            }
        }
        try (Disk disk = opener.apply(opened)) {
            check(disk, flushed, since);
            // It must be good for further work, too.
            int at = random.nextInt(sectors);
            byte[] data = sectors(-1, 1);
            disk.write((long) at * SECTOR, IoMemory.of(data), true);
            IoMemory back = IoMemory.of(new byte[SECTOR]);
            disk.read((long) at * SECTOR, back);
            if (!Arrays.equals(back.toByteArray(), data)) {
                throw new AssertionError("cut " + cuts + ": a write after the crash is lost");
            }
        }
    }

    private PagedFile crashDuringReplay(PagedFile crashed, Random random) {
        var changes = new ArrayList<PagedFile.Change>();
        PagedFile first = crashed.copy().listener(changes::add);
        Disk unused = opener.apply(first); // and never closed
        assertThat(unused.size()).isPositive();
        int end = changes.isEmpty() ? 0 : random.nextInt(changes.size());
        PagedFile again = crashed.copy();
        var pending = new ArrayList<PagedFile.Change>();
        for (PagedFile.Change change : changes.subList(0, end)) {
            if (change instanceof PagedFile.Change.Flushed) {
                pending.forEach(again::apply);
                pending.clear();
            } else {
                pending.add(change);
            }
        }
        return crash(random, again, pending, 3);
    }

    private void check(Disk disk, long[] flushed, Map<Integer, Set<Long>> since) {
        byte[] all = new byte[sectors * SECTOR];
        disk.read(0, IoMemory.of(all));
        var in = java.nio.ByteBuffer.wrap(all);
        for (int s = 0; s < sectors; s++) {
            long stamp = in.getLong(s * SECTOR);
            long other = in.getLong((s + 1) * SECTOR - 8);
            if (stamp != other
                    || (stamp != flushed[s]
                            && !since.getOrDefault(s, new HashSet<>()).contains(stamp))) {
                throw new AssertionError("cut " + cuts + ": sector " + s + " holds " + stamp + "/" + other
                        + "; at the last flush it held " + flushed[s] + ", since then " + since.get(s)
                        + " were written");
            }
        }
    }
}
