package io.javisor.memory.balloon;

import io.javisor.memory.protocol.DmVersion;
import io.javisor.memory.protocol.GuestReport;
import io.javisor.memory.protocol.HostRequest;
import io.javisor.memory.protocol.PageRange;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.topology.AddressSpacePlan;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Brings a guest's memory to its target: decides what is asked of the guest next, and moves the memory on the host's side.
 * Belongs to the channel's reactor, but for what its worker does.
 *
 * <p>Growth is by what was ballooned first, then by what is new. Memory is populated before the guest has it, in pieces small
 * enough to come steadily; what the guest gives up is discarded at once.
 */
final class MemoryMover {
    /** Messages that one request becomes at most. */
    static final int MAX_MESSAGES = 16;

    /** Pages asked for at once: 1 GiB. */
    private static final long BALLOON_STEP = 1L << 18;

    /** Pages given at once: 128 MiB. */
    private static final long GIVE_STEP = 1L << 15;

    /** The unit of balloon requests: Linux gives up huge pages as long as it has them. */
    private static final long UNIT = AddressSpacePlan.GRANULE / PageRange.PAGE;

    /** Seconds before a guest that gave less than asked is asked again, and before a short host is. */
    private static final int HOLD = 5;

    private static final int LONGEST_HOLD = 60;

    /** Bytes of new memory whose use is judged: 64 MiB. */
    private static final long JUDGED = 64L << 20;

    /** Seconds between steps that even out the nodes. */
    private static final int EVEN_OUT = 30;

    /** Resident bytes beyond the assigned that are no stray: host pages that the guest's pages share. */
    private static final long STRAY_SLACK = 16L << 20;

    private final GrowingMemory memory;
    private final PageLedger ledger;
    private final GrowthWindows windows;
    private final MemoryWorker worker;
    private final BalloonListener listener;

    private @Nullable BalloonLink link;
    private @Nullable BalloonTarget target;
    private List<PageRange> returning = List.of(); // picked, being populated
    private boolean preparing; // new memory, being populated
    private boolean discarding;
    private int hold; // seconds without balloon requests
    private int lastHold;
    private int growthHold;
    private int evenIn = EVEN_OUT;
    private long reports;
    private long committed;
    private long demand;
    private long used;
    private long available;
    private long addedPages;
    private long unproven; // bytes that were added since the last report
    private int unprovenAdds;
    private int suspicions; // hot adds in a row that seem to be of no use

    MemoryMover(
            GrowingMemory memory,
            PageLedger ledger,
            GrowthWindows windows,
            MemoryWorker worker,
            BalloonListener listener) {
        this.memory = memory;
        this.ledger = ledger;
        this.windows = windows;
        this.worker = worker;
        this.listener = listener;
    }

    /** Pages that are on their way back to the guest, which does not know yet. */
    List<PageRange> returning() {
        return returning;
    }

    /** A channel opens; a restored one goes on where it was. */
    void opened(BalloonLink opened, boolean restored) {
        link = opened;
        if (!restored) {
            ledger.forgetBallooned();
        }
        returning = List.of();
        preparing = false;
        discarding = false;
        hold = 0;
        lastHold = 0;
        growthHold = 0;
        unproven = 0;
        unprovenAdds = 0;
        suspicions = 0;
        reports = 0;
    }

    void closed(BalloonLink closed) {
        if (closed.equals(link)) {
            link = null;
            reports = 0;
            listener.gone();
            listener.status(status());
        }
    }

    void target(BalloonTarget wanted) {
        boolean changed = !wanted.equals(target);
        target = wanted;
        if (changed) {
            hold = 0;
            step();
        }
    }

    /** New memory that was there when the machine was saved. */
    void restoredAreas(List<PageLedger.Area> areas) {
        for (PageLedger.Area area : areas) {
            memory.add(area.node(), area.pages().gpa(), area.pages().bytes());
            windows.taken(area.pages(), area.pages().count());
            addedPages += area.pages().count();
        }
    }

    /** Tells how things are, also while the guest stands still or has said nothing yet. */
    void tell() {
        listener.status(status());
    }

    /** Holes were saved as holes or as zeroes: makes sure that they are holes. */
    void restoredBallooned() {
        discard(ledger.ballooned());
    }

    void ready(DmVersion version, GuestReport.Capabilities capabilities) {
        listener.ready(version, capabilities);
        listener.status(status());
    }

    void reported(GuestReport.Status report) {
        long committedBefore = committed;
        long availableBefore = available;
        reports++;
        available = bytes(report.availablePages());
        committed = bytes(report.committedPages());
        BalloonLink open = link;
        // The guest counts as ballooned what it does not know to have back.
        long ballooned = ledger.balloonedPages()
                + returning.stream().mapToLong(PageRange::count).sum()
                + (open == null ? 0 : open.session().unacknowledged());
        demand = Math.max(0, committed - ballooned * PageRange.PAGE);
        used = used(ballooned);
        if (unproven > 0) {
            judgeAdded(committed - committedBefore, available - availableBefore);
        }
        listener.status(status()); // at once: the guest may be running out of memory
    }

    /** What the guest has without what it calls available; memory that it may not have taken yet is neither. */
    private long used(long ballooned) {
        BalloonLink open = link;
        long unanswered = open == null ? 0 : open.session().unanswered();
        long has = ledger.assignedPages() + ledger.balloonedPages() - ballooned - unanswered;
        return Math.max(0, has * PageRange.PAGE - available);
    }

    /** What a guest says may be nonsense: it is taken as far as it fits. */
    private static long bytes(long pages) {
        return pages < 0 || pages > Long.MAX_VALUE / PageRange.PAGE ? Long.MAX_VALUE >>> 8 : pages * PageRange.PAGE;
    }

    /**
     * Linux counts new memory that it has not brought online as committed. Then it is of no use, and to add more would never
     * end. It shows as a leap of just so much from one report to the next, with nothing more available. Programs can look like
     * that once by chance, and with small amounts often.
     */
    private void judgeAdded(long moreCommitted, long moreAvailable) {
        int adds = unprovenAdds;
        unprovenAdds = 0;
        if (unproven < JUDGED) {
            unproven = 0;
            return;
        }
        long near = unproven / 50;
        boolean useless = Math.abs(moreCommitted - unproven) <= near && Math.abs(moreAvailable) <= near;
        suspicions = useless ? suspicions + adds : 0;
        if (suspicions >= 2 && link != null) {
            link.session().neverAdd();
            listener.notOnline(unproven);
        }
        unproven = 0;
    }

    void gaveUp(List<PageRange> ranges) {
        discard(ranges);
    }

    void balloonEnded(long asked, long got) {
        if (got < asked) {
            lastHold = got == 0 ? Math.clamp(2L * lastHold, HOLD, LONGEST_HOLD) : HOLD;
            hold = lastHold;
        } else {
            lastHold = 0;
        }
        listener.ballooned(asked * PageRange.PAGE, got * PageRange.PAGE);
    }

    void unballoonEnded(long pages) {
        listener.unballooned(pages * PageRange.PAGE);
    }

    void hotAddEnded(PageRange asked, long got, boolean never) {
        int node = nodeOf(asked);
        windows.taken(asked, got);
        addedPages -= asked.count() - got;
        ledger.shrink(asked, got);
        discardUnused(new GrowthWindows.Piece(
                node, new PageRange(asked.first() + got, asked.count() - got), new PageRange(0, 0)));
        unproven += got * PageRange.PAGE;
        unprovenAdds++;
        listener.hotAdded(node, asked.bytes(), got * PageRange.PAGE, never);
    }

    void overdue(String request) {
        listener.overdue(request);
    }

    /** Once a second. */
    void second() {
        hold = Math.max(0, hold - 1);
        growthHold = Math.max(0, growthHold - 1);
        evenIn = Math.max(0, evenIn - 1);
        step();
        BalloonStatus now = status();
        long stray = now.resident() - now.assignedBytes();
        if (stray > STRAY_SLACK && worker.isIdle() && !discarding) {
            listener.strayed(stray);
            discard(ledger.ballooned());
            windows.beyond().forEach(this::discardUnused);
        }
        listener.status(now);
    }

    BalloonStatus status() {
        var assigned = new ArrayList<Long>();
        var ballooned = new ArrayList<Long>();
        var residents = new ArrayList<Long>();
        long alignment = alignment();
        long room = 0;
        for (int node = 0; node < ledger.nodes(); node++) {
            assigned.add(ledger.assignedPages(node) * PageRange.PAGE);
            ballooned.add(ledger.balloonedPages(node) * PageRange.PAGE);
            residents.add(memory.residentBytes(node));
            room += windows.room(node, alignment) * PageRange.PAGE;
        }
        BalloonLink open = link;
        boolean ready = open != null && open.session().capabilities() != null;
        return new BalloonStatus(
                ready,
                reports,
                assigned,
                ballooned,
                addedPages * PageRange.PAGE,
                open != null && open.session().addsNever() ? 0 : room,
                demand,
                used,
                available,
                residents,
                open != null && open.session().isOverdue());
    }

    private long alignment() {
        BalloonLink open = link;
        GuestReport.Capabilities can = open == null ? null : open.session().capabilities();
        return can == null ? 128L << 20 : can.hotAddAlignment();
    }

    /** Asks for what is to be asked next, if anything. */
    void step() {
        BalloonLink open = link;
        BalloonTarget wanted = target;
        if (open == null || wanted == null || open.session().capabilities() == null) {
            return;
        }
        long goal = wanted.bytes() / PageRange.PAGE;
        long assigned = ledger.assignedPages();
        long excess = assigned - open.session().outstanding() - goal;
        if (excess >= UNIT) {
            if (open.session().canTransfer() && returning.isEmpty() && !preparing && hold == 0) {
                open.session().balloon(Math.min(excess, BALLOON_STEP) / UNIT * UNIT);
            }
        } else if (goal - assigned >= UNIT && growthHold == 0) {
            grow(open, wanted, goal - assigned);
        } else if (evenIn == 0) {
            evenIn = EVEN_OUT;
            evenOut(open, wanted);
        }
    }

    private void grow(BalloonLink open, BalloonTarget wanted, long need) {
        int node = neediest(wanted, open);
        if (node < 0) {
            return;
        }
        long lack = goal(wanted, node) - ledger.assignedPages(node);
        long some = Math.min(lack >= UNIT ? Math.min(need, lack) : need, GIVE_STEP);
        if (ledger.balloonedPages(node) > 0) {
            if (open.session().canTransfer() && returning.isEmpty()) {
                giveBack(open, node, some);
            }
        } else if (open.session().canAdd() && !preparing) {
            GrowthWindows.Piece piece = windows.next(node, some, alignment(), memory.pageSize(node));
            if (piece.pages().count() > 0) {
                prepare(open, piece);
            }
        }
    }

    /** The node that lacks most and can be given something now; −1 if there is none. */
    private int neediest(BalloonTarget wanted, BalloonLink open) {
        int best = -1;
        long most = Long.MIN_VALUE;
        for (int node = 0; node < ledger.nodes(); node++) {
            boolean can = ledger.balloonedPages(node) > 0
                    || !open.session().addsNotNow() && windows.room(node, alignment()) > 0;
            long lack = goal(wanted, node) - ledger.assignedPages(node);
            if (can && lack > most) {
                best = node;
                most = lack;
            }
        }
        return best;
    }

    /** Pages that a node shall have: as told, or by its size with all that it can grow to. */
    private long goal(BalloonTarget wanted, int node) {
        if (!wanted.nodes().isEmpty()) {
            return wanted.nodes().get(node) / PageRange.PAGE;
        }
        double all = 0;
        double its = 0;
        for (int n = 0; n < ledger.nodes(); n++) {
            double size = ledger.totalPages(n) + windows.room(n, alignment());
            all += size;
            its = n == node ? size : its;
        }
        return (long) ((double) wanted.bytes() * its / all) / PageRange.PAGE;
    }

    /** The guest chooses what it gives up. Where that left a node poor, gives it some back, and takes from any again. */
    private void evenOut(BalloonLink open, BalloonTarget wanted) {
        if (ledger.nodes() < 2 || !open.session().canTransfer() || !returning.isEmpty()) {
            return;
        }
        for (int node = 0; node < ledger.nodes(); node++) {
            long lack = goal(wanted, node) - ledger.assignedPages(node);
            if (lack > Math.max(GIVE_STEP / 2, wanted.bytes() / PageRange.PAGE / 10)
                    && ledger.balloonedPages(node) > 0) {
                giveBack(open, node, Math.min(lack / 2, GIVE_STEP));
                return;
            }
        }
    }

    private void giveBack(BalloonLink open, int node, long pages) {
        List<PageRange> picked = ledger.pick(node, pages, MAX_MESSAGES * HostRequest.MAX_RANGES);
        if (picked.isEmpty()) {
            return;
        }
        returning = picked;
        List<PageRange> host = HostPages.around(picked, memory.pageSize(node) / PageRange.PAGE);
        work(
                () -> host.forEach(range -> memory.populate(range.gpa(), range.bytes())),
                open,
                () -> {
                    returning = List.of();
                    open.session().unballoon(picked);
                },
                () -> {
                    returning = List.of();
                    picked.forEach(ledger::putBack);
                    discard(picked);
                });
    }

    private void prepare(BalloonLink open, GrowthWindows.Piece piece) {
        preparing = true;
        work(
                () -> {
                    memory.add(piece.node(), piece.pages().gpa(), piece.pages().bytes());
                    memory.populate(piece.pages().gpa(), piece.pages().bytes());
                },
                open,
                () -> {
                    preparing = false;
                    if (!open.session().canAdd()) { // the last word on what was added before came meanwhile
                        discardUnused(piece);
                        return;
                    }
                    ledger.add(new PageLedger.Area(piece.pages(), piece.node(), true));
                    addedPages += piece.pages().count();
                    open.session().hotAdd(piece.pages(), piece.region());
                },
                () -> {
                    preparing = false;
                    discardUnused(piece);
                });
    }

    /** Does slow work elsewhere, then goes on here. */
    private void work(Runnable slow, BalloonLink open, Runnable done, Runnable failed) {
        worker.execute(() -> {
            HypervisorException error = attempt(slow);
            open.later(() -> {
                if (error == null) {
                    done.run();
                } else {
                    growthHold = HOLD;
                    listener.refused(error);
                    failed.run();
                }
                step();
            });
        });
    }

    private static @Nullable HypervisorException attempt(Runnable slow) {
        try {
            slow.run();
            return null;
        } catch (HypervisorException e) {
            return e;
        } catch (RuntimeException e) {
            return new HypervisorException("internal", String.valueOf(e), null, 0, null, e);
        }
    }

    /** Gives the host back what the guest gave up, as far as whole pages of the host are free. */
    private void discard(List<PageRange> ranges) {
        var holes = new ArrayList<PageRange>();
        for (PageRange range : ranges) {
            long unit = memory.pageSize(nodeOf(range)) / PageRange.PAGE;
            if (unit <= 1) {
                holes.add(range);
            } else {
                HostPages.around(List.of(range), unit).stream()
                        .flatMap(around -> HostPages.units(around, unit).stream())
                        .filter(ledger::isWhollyBallooned)
                        .forEach(holes::add);
            }
        }
        if (holes.isEmpty()) {
            return;
        }
        discardPages(HostPages.merged(holes));
    }

    /** Gives the host back what the guest never had, as far as it is whole pages of the host. */
    private void discardUnused(GrowthWindows.Piece piece) {
        PageRange range = piece.pages();
        int node = piece.node();
        long unit = memory.pageSize(node) / PageRange.PAGE;
        long first = range.first() + unit - 1 & -unit;
        long end = range.end() & -unit;
        if (end > first) {
            discardPages(List.of(new PageRange(first, end - first)));
        }
    }

    private void discardPages(List<PageRange> pages) {
        discarding = true;
        BalloonLink open = link;
        worker.execute(() -> {
            HypervisorException error =
                    attempt(() -> pages.forEach(range -> memory.discard(range.gpa(), range.bytes())));
            if (open != null) {
                open.later(() -> {
                    discarding = false;
                    if (error != null) {
                        listener.refused(error);
                    }
                });
            }
        });
    }

    private int nodeOf(PageRange range) {
        return ledger.nodeOf(range.first());
    }
}
