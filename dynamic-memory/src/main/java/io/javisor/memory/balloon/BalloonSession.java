package io.javisor.memory.balloon;

import io.javisor.memory.protocol.DmProtocolException;
import io.javisor.memory.protocol.DmVersion;
import io.javisor.memory.protocol.GuestReport;
import io.javisor.memory.protocol.HostRequest;
import io.javisor.memory.protocol.PageRange;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.vmbus.protocol.Wire;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The host's side of the dynamic memory protocol, from the guest's opening of the channel to its closing: pure, messages in,
 * calls out. Belongs to one thread.
 *
 * <pre>
 * VERSION ──▶ CAPABILITIES ──▶ READY     two lanes, each with one request under way at most:
 *                                 pages  IDLE ─▶ BALLOON ─▶ IDLE ─▶ UNBALLOON ─▶ IDLE
 *                                 add    IDLE ─▶ HOT ADD ─▶ IDLE
 * </pre>
 *
 * <p>Answers carry no number that a request could be known by. So a request that is not answered in time keeps its lane: nothing
 * else is asked there until the guest answers, however late; the other lane goes on.
 */
final class BalloonSession {
    /** How long a guest may be silent about a request before it counts as overdue, in seconds of the guest's running. */
    static final int PATIENCE = 60;

    /** Seconds after which a hot add that failed for now is tried again; doubled at each failure. */
    static final int RETRY = 15;

    private static final int LONGEST_RETRY = 480;

    private enum Phase {
        VERSION,
        CAPABILITIES,
        READY
    }

    private enum Transfer {
        NONE,
        BALLOON,
        UNBALLOON
    }

    private final PageLedger ledger;
    private final SessionListener listener;
    private final long maximumPages;

    private Phase phase = Phase.VERSION;
    private DmVersion version = DmVersion.V0_3;
    private GuestReport.@Nullable Capabilities capabilities;
    private int transaction;

    private Transfer transfer = Transfer.NONE;
    private long asked;
    private long got;
    private int silence;

    private PageRange adding = new PageRange(0, 0);
    private int addSilence;
    private boolean addNever;
    private int retryIn;
    private int retry = RETRY;

    /**
     * A session that waits for the guest's first word.
     *
     * @param maximumPages that the guest is told it may come to have
     */
    BalloonSession(PageLedger ledger, SessionListener listener, long maximumPages) {
        this.ledger = ledger;
        this.listener = listener;
        this.maximumPages = maximumPages;
    }

    /** What the guest can do; null before it said so. */
    GuestReport.@Nullable Capabilities capabilities() {
        return capabilities;
    }

    /** The agreed version, once there are capabilities. */
    DmVersion version() {
        return version;
    }

    /** Whether pages can be asked for or given back now. */
    boolean canTransfer() {
        GuestReport.Capabilities can = capabilities;
        return phase == Phase.READY && transfer == Transfer.NONE && can != null && can.balloon();
    }

    /** Whether memory can be added now. */
    boolean canAdd() {
        GuestReport.Capabilities can = capabilities;
        return phase == Phase.READY && adding.count() == 0 && !addNever && retryIn == 0 && can != null && can.hotAdd();
    }

    /** Whether memory can ever be added in this session. */
    boolean addsNever() {
        GuestReport.Capabilities can = capabilities;
        return addNever || can != null && !can.hotAdd();
    }

    /** Whether memory can't be added, now or ever, for another reason than a request that is under way. */
    boolean addsNotNow() {
        return addsNever() || retryIn > 0;
    }

    /** Pages of a balloon request that are still to come. */
    long outstanding() {
        return transfer == Transfer.BALLOON ? asked - got : 0;
    }

    /** Pages that were given back, and that the guest has not said it has. */
    long unacknowledged() {
        return transfer == Transfer.UNBALLOON ? asked : 0;
    }

    /** Pages of new memory that the guest has not said it has taken. */
    long unanswered() {
        return adding.count();
    }

    /** Whether the guest is late with an answer. */
    boolean isOverdue() {
        return silence >= PATIENCE || addSilence >= PATIENCE;
    }

    /** Gives up adding memory for the rest of the session. */
    void neverAdd() {
        addNever = true;
    }

    /** Asks for pages. */
    void balloon(long pages) {
        if (!canTransfer()) {
            throw new IllegalStateException("a request is under way");
        }
        transfer = Transfer.BALLOON;
        asked = pages;
        got = 0;
        silence = 0;
        listener.send(HostRequest.balloon(++transaction, pages));
    }

    /** Gives pages back, which {@link PageLedger#pick} chose; at least one range. */
    void unballoon(List<PageRange> ranges) {
        if (!canTransfer() || ranges.isEmpty()) {
            throw new IllegalStateException("a request is under way, or there is nothing to give back");
        }
        transfer = Transfer.UNBALLOON;
        asked = ranges.stream().mapToLong(PageRange::count).sum();
        got = 0;
        silence = 0;
        for (int from = 0; from < ranges.size(); from += HostRequest.MAX_RANGES) {
            int to = Math.min(ranges.size(), from + HostRequest.MAX_RANGES);
            listener.send(HostRequest.unballoon(++transaction, ranges.subList(from, to), to < ranges.size()));
        }
    }

    /** Offers new memory. The machine has memory there already. */
    void hotAdd(PageRange pages, PageRange region) {
        if (!canAdd() || pages.count() == 0) {
            throw new IllegalStateException("a request is under way, or there is nothing to add");
        }
        adding = pages;
        addSilence = 0;
        listener.send(HostRequest.hotAdd(++transaction, pages, region));
    }

    /** Tells the guest how many pages it may come to have, if its version knows such a message. */
    void tellMaximum(long pages) {
        if (phase == Phase.READY && version.hasInformation()) {
            listener.send(HostRequest.maximum(++transaction, pages));
        }
    }

    /** A second of the guest's running has passed. */
    void second() {
        if (transfer != Transfer.NONE && ++silence == PATIENCE) {
            listener.overdue(transfer == Transfer.BALLOON ? "balloon" : "unballoon");
        }
        if (adding.count() > 0 && ++addSilence == PATIENCE) {
            listener.overdue("hot add");
        }
        if (retryIn > 0) {
            retryIn--;
        }
    }

    /**
     * The guest says something.
     *
     * @throws DmProtocolException if it makes no sense now; the session is over then
     */
    void received(GuestReport report) {
        switch (report) {
            case GuestReport.VersionRequest request -> versionRequested(request);
            case GuestReport.Capabilities can -> capable(can);
            case GuestReport.Status status -> {
                require(phase == Phase.READY, "a status report before its capabilities");
                listener.reported(status);
            }
            case GuestReport.Ballooned answer -> ballooned(answer);
            case GuestReport.Unballooned _ -> {
                require(transfer == Transfer.UNBALLOON, "an answer to an unballoon request that was not made");
                transfer = Transfer.NONE;
                silence = 0;
                listener.unballoonEnded(asked);
            }
            case GuestReport.HotAdded answer -> hotAdded(answer);
            case GuestReport.Trouble _ -> {
                // It has no content and asks for nothing.
            }
        }
    }

    private void versionRequested(GuestReport.VersionRequest request) {
        require(phase == Phase.VERSION, "a version after one was agreed on");
        var known = DmVersion.of(request.version());
        if (known.isPresent()) {
            version = known.get();
            phase = Phase.CAPABILITIES;
        }
        listener.send(HostRequest.versionResponse(request.transaction(), known.isPresent()));
    }

    private void capable(GuestReport.Capabilities can) {
        require(phase == Phase.CAPABILITIES, "capabilities out of turn");
        capabilities = can;
        phase = Phase.READY;
        listener.send(HostRequest.capabilitiesResponse(can.transaction(), true));
        tellMaximum(maximumPages);
        listener.ready(can);
    }

    private void ballooned(GuestReport.Ballooned answer) {
        require(transfer == Transfer.BALLOON, "pages that nobody asked for");
        long pages = answer.pages();
        require(
                pages <= asked - got,
                "gives up " + pages + " pages, though only " + (asked - got) + " more are wanted");
        answer.ranges().forEach(ledger::take);
        got += pages;
        if (pages > 0) {
            silence = 0;
            listener.gaveUp(answer.ranges());
        }
        if (!answer.more()) {
            transfer = Transfer.NONE;
            silence = 0;
            listener.balloonEnded(asked, got);
        }
    }

    private void hotAdded(GuestReport.HotAdded answer) {
        PageRange wanted = adding;
        require(wanted.count() > 0, "an answer to a hot add that was not asked for");
        require(
                answer.pages() <= wanted.count(),
                "has added " + answer.pages() + " pages, of " + wanted.count() + " that were offered");
        adding = new PageRange(0, 0);
        addSilence = 0;
        boolean none = answer.pages() == 0;
        if (none && !answer.success()) {
            retryIn = retry;
            retry = Math.min(2 * retry, LONGEST_RETRY);
        } else {
            // Fewer than offered: the guest's address space is at its end.
            addNever = answer.pages() < wanted.count();
            retry = RETRY;
        }
        listener.hotAddEnded(wanted, answer.pages(), addNever);
    }

    private static void require(boolean sensible, String what) {
        if (!sensible) {
            throw new DmProtocolException("the guest sends " + what);
        }
    }

    void save(StateWriter out) {
        out.put("phase", phase.ordinal());
        out.put("version", version.code());
        GuestReport.Capabilities can = capabilities;
        out.put("canBalloon", can != null && can.balloon());
        out.put("canAdd", can != null && can.hotAdd());
        out.put("alignment", can == null ? 1L << 20 : can.hotAddAlignment());
        out.put("transaction", transaction);
        out.put("transfer", transfer.ordinal());
        out.put("asked", asked);
        out.put("got", got);
        out.put("silence", silence);
        out.put(
                "adding",
                Wire.bytes(Wire.buffer(new byte[16]).putLong(adding.first()).putLong(adding.count())));
        out.put("addSilence", addSilence);
        out.put("addNever", addNever);
        out.put("retryIn", retryIn);
        out.put("retry", retry);
    }

    void restore(StateReader in) {
        phase = Phase.values()[in.getInt("phase", 0, Phase.values().length - 1)];
        version = DmVersion.of(in.getInt("version", 0, Integer.MAX_VALUE))
                .orElseThrow(() -> new StateException("dynamic memory: unknown protocol version"));
        long alignment = in.getLong("alignment");
        if (Long.bitCount(alignment) != 1 || alignment < 1L << 20 || alignment > 1L << 35) {
            throw new StateException("dynamic memory: hot add aligned to " + alignment);
        }
        capabilities = phase == Phase.READY
                ? new GuestReport.Capabilities(0, in.getBoolean("canBalloon"), in.getBoolean("canAdd"), alignment)
                : null;
        transaction = in.getInt("transaction", Integer.MIN_VALUE, Integer.MAX_VALUE);
        transfer = Transfer.values()[in.getInt("transfer", 0, Transfer.values().length - 1)];
        asked = pages(in.getLong("asked"));
        got = pages(in.getLong("got"));
        silence = in.getInt("silence", 0, Integer.MAX_VALUE);
        try {
            var bytes = Wire.buffer(in.getBytes("adding", 16));
            adding = new PageRange(bytes.getLong(), bytes.getLong());
        } catch (IllegalArgumentException e) {
            throw new StateException("dynamic memory: " + e.getMessage());
        }
        addSilence = in.getInt("addSilence", 0, Integer.MAX_VALUE);
        addNever = in.getBoolean("addNever");
        retryIn = in.getInt("retryIn", 0, LONGEST_RETRY);
        retry = in.getInt("retry", 1, LONGEST_RETRY);
        if (got > asked || phase != Phase.READY && (transfer != Transfer.NONE || adding.count() > 0)) {
            throw new StateException("dynamic memory: a request that can't be");
        }
    }

    private static long pages(long value) {
        if (value < 0 || value > 0xFFFF_FFFFL) {
            throw new StateException("dynamic memory: " + value + " pages");
        }
        return value;
    }
}
