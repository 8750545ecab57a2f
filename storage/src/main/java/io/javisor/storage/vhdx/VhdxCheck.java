package io.javisor.storage.vhdx;

import io.javisor.storage.disk.CheckReport;
import io.javisor.storage.disk.DiskFormatException;
import io.javisor.storage.file.BackingFile;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** Looks at everything that a VHDX file says of itself. */
public final class VhdxCheck {
    private static final int MOST_PROBLEMS = 100;

    private final VhdxStore store;
    private final Bat bat;
    private final List<String> problems = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    // A bit for each MiB of the file: 16 MiB for the largest.
    private final BitSet used = new BitSet();
    private long usedBytes;

    private VhdxCheck(VhdxStore store) {
        this.store = store;
        bat = store.bat;
    }

    /**
     * Checks a file that was opened read-only.
     *
     * @throws DiskFormatException if it can't even be opened
     */
    public static CheckReport check(BackingFile file) {
        boolean inUse = VhdxFiles.facts(file).logInUse();
        VhdxStore store = VhdxStore.open(file);
        var check = new VhdxCheck(store);
        if (inUse) {
            check.notes.add("the log is in use: the image was not closed, and is checked as if the log were replayed");
        }
        check.run();
        return check.report();
    }

    private void run() {
        compareCopies();
        mark(0, Layout.BODY, 0, "the header section");
        mark(store.header().logOffset(), store.header().logLength(), Layout.HEADER_1, "the log");
        mark(store.regions.batOffset(), store.regions.batLength(), Layout.REGIONS_1, "the BAT");
        mark(store.regions.metadataOffset(), store.regions.metadataLength(), Layout.REGIONS_1, "the metadata");
        boolean differencing = store.metadata.parent() != null;
        for (long block = 0; block < bat.blocks; block++) {
            if (block % bat.chunkRatio == 0 && differencing) {
                checkBitmap(block / bat.chunkRatio);
            }
            checkBlock(block, differencing);
        }
    }

    private void compareCopies() {
        if (!java.util.Arrays.equals(
                store.file.read(Layout.REGIONS_1, Layout.REGION_TABLE_BYTES),
                store.file.read(Layout.REGIONS_2, Layout.REGION_TABLE_BYTES))) {
            problems.add("at offset 0x" + Long.toHexString(Layout.REGIONS_2) + ": the two region tables differ");
        }
    }

    private void checkBlock(long block, boolean differencing) {
        long at = bat.payloadEntryAt(block);
        long entry = store.pages.get(at);
        int state = Bat.state(entry);
        if (state == 4 || state == 5 || (state == Bat.PARTIAL && !differencing)) {
            problem(at, "block " + block + " is in state " + state);
        } else if (Bat.isAllocated(entry)) {
            if (place(at, entry, bat.blockBytes, "block " + block)) {
                usedBytes += bat.blockBytes;
            }
            long bitmapAt = bat.bitmapEntryAt(bat.chunkOf(block));
            if (state == Bat.PARTIAL && Bat.state(store.pages.get(bitmapAt)) != Bat.FULL) {
                problem(at, "block " + block + " is partially present without a sector bitmap");
            }
        }
    }

    private void checkBitmap(long chunk) {
        long at = bat.bitmapEntryAt(chunk);
        long entry = store.pages.get(at);
        int state = Bat.state(entry);
        if (state == Bat.FULL) {
            place(at, entry, Layout.MIB, "the sector bitmap of chunk " + chunk);
        } else if (state != Bat.NOT_PRESENT) {
            problem(at, "the sector bitmap of chunk " + chunk + " is in state " + state);
        }
    }

    private boolean place(long at, long entry, long length, String what) {
        try {
            Bat.check(store.file.name(), at, entry, length, store.file.size(), store.regions, store.header());
        } catch (DiskFormatException e) {
            problem(at, what + ": " + e.getMessage());
            return false;
        }
        return mark(Bat.fileOffset(entry), length, at, what);
    }

    private boolean mark(long offset, long length, long at, String what) {
        if (length == 0) {
            return true; // a file without a log: where it would be says nothing
        }
        int first = (int) (offset / Layout.MIB);
        int end = (int) ((offset + length) / Layout.MIB);
        int taken = used.nextSetBit(first);
        if (taken >= 0 && taken < end) {
            problem(at, what + " lies at " + offset + " over something else");
            return false;
        }
        used.set(first, end);
        return true;
    }

    private void problem(long at, String text) {
        if (problems.size() < MOST_PROBLEMS) {
            problems.add("at offset 0x" + Long.toHexString(at) + ": " + text);
        } else if (problems.size() == MOST_PROBLEMS) {
            problems.add("and more");
        }
    }

    private CheckReport report() {
        long all = store.file.size() / Layout.MIB;
        return new CheckReport(problems, notes, usedBytes, Math.max(0, all - used.cardinality()) * Layout.MIB);
    }
}
