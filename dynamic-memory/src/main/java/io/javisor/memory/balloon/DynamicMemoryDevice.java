package io.javisor.memory.balloon;

import io.javisor.memory.protocol.GuestReport;
import io.javisor.memory.protocol.PageRange;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.partition.topology.AddressSpacePlan;
import io.javisor.vmbus.channel.Channel;
import io.javisor.vmbus.channel.ChannelDevice;
import io.javisor.vmbus.channel.ChannelHandler;
import io.javisor.vmbus.channel.ChannelOffer;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The dynamic memory device of one run of a guest, which Linux's hv_balloon drives. It brings the guest's memory to a
 * {@linkplain #target(BalloonTarget) target} and tells how it fares. Without a target it asks nothing of the guest.
 *
 * <p>{@link #target}, {@link #maximum} and {@link #close} may be called from any thread; the rest belongs to the bus.
 */
public final class DynamicMemoryDevice implements ChannelDevice, AutoCloseable {
    /** The kind of device (HV_DM_GUID in include/linux/hyperv.h). */
    public static final UUID INTERFACE = UUID.fromString("525074dc-8985-46e2-8057-a307dc18a502");

    /** The instance that Hyper-V offers; one a machine. */
    public static final UUID INSTANCE = UUID.fromString("1eccfd72-4b41-45ef-b73a-4a6e44c12924");

    private static final ChannelOffer OFFER = ChannelOffer.of(INTERFACE, INSTANCE);
    private static final int PACKET_HEADERS = 64;

    private final PageLedger ledger;
    private final MemoryMover mover;
    private final MemoryWorker worker;
    private volatile long maximum;
    private volatile @Nullable BalloonTarget target;
    private volatile @Nullable BalloonLink link;
    private @Nullable BalloonLink saved;

    /**
     * A device that has not been offered yet.
     *
     * @param memory of the guest
     * @param nodes of the guest
     * @param maximum bytes that the guest is told it may come to have
     * @param threads may wait for the host's memory; the device has one task there at most
     * @param listener hears what happens
     */
    public DynamicMemoryDevice(
            GrowingMemory memory, int nodes, long maximum, Executor threads, BalloonListener listener) {
        this.maximum = maximum;
        AddressSpacePlan plan = memory.plan();
        ledger = new PageLedger(nodes);
        plan.bootMemory()
                .forEach(r -> ledger.add(new PageLedger.Area(PageRange.ofBytes(r.gpa(), r.length()), r.node(), false)));
        worker = new MemoryWorker(threads);
        mover = new MemoryMover(memory, ledger, new GrowthWindows(plan), worker, listener);
    }

    @Override
    public ChannelOffer offer() {
        return OFFER;
    }

    @Override
    public int maxPacketBytes() {
        return GuestReport.MAX_BYTES + PACKET_HEADERS;
    }

    @Override
    public int maxPacketsHeld() {
        return 1;
    }

    /** Sets how much memory the guest shall have; it follows as it can, and as the host has memory. */
    public void target(BalloonTarget wanted) {
        target = wanted;
        BalloonLink open = link;
        if (open != null) {
            open.later(() -> mover.target(wanted));
        }
    }

    /** Changes what the guest is told it may come to have; bytes. */
    public void maximum(long bytes) {
        maximum = bytes;
        BalloonLink open = link;
        if (open != null) {
            open.later(() -> open.session().tellMaximum(bytes / PageRange.PAGE));
        }
    }

    @Override
    public ChannelHandler opened(Channel channel) {
        return begin(new BalloonLink(ledger, mover, maximum / PageRange.PAGE), channel, false);
    }

    @Override
    public ChannelHandler restored(Channel channel) {
        BalloonLink again = saved;
        saved = null;
        return begin(
                again == null ? new BalloonLink(ledger, mover, maximum / PageRange.PAGE) : again,
                channel,
                again != null);
    }

    private BalloonLink begin(BalloonLink fresh, Channel channel, boolean restored) {
        mover.opened(fresh, restored);
        fresh.begin(channel);
        link = fresh;
        BalloonTarget wanted = target;
        if (wanted != null) {
            fresh.later(() -> mover.target(wanted));
        }
        if (restored) {
            GuestReport.Capabilities can = fresh.session().capabilities();
            if (can != null) {
                fresh.later(() -> mover.ready(fresh.session().version(), can));
            }
        }
        return fresh;
    }

    @Override
    public String stateName() {
        return "dynamic-memory";
    }

    @Override
    public int stateVersion() {
        return 1;
    }

    @Override
    public void save(StateWriter out) {
        // What is being populated is not the guest's yet: it is saved as given up, and chosen anew.
        List<PageRange> returning = mover.returning();
        returning.forEach(ledger::putBack);
        var books = new StateWriter();
        ledger.save(books);
        mover.tell(); // so that what is known of the saved machine is what a restored one begins with
        returning.forEach(range -> ledger.unmark(range));
        out.put("books", books);
        BalloonLink open = link;
        boolean live = open != null && open.isOpen();
        out.put("open", live);
        if (open != null && live) {
            var session = new StateWriter();
            open.save(session);
            out.put("session", session);
        }
    }

    @Override
    public void restore(StateReader in) {
        in.requireVersion(1);
        StateReader books = in.getInner("books");
        mover.restoredAreas(ledger.restoreAreas(books));
        ledger.restoreBallooned(books);
        mover.restoredBallooned();
        if (in.getBoolean("open")) {
            var again = new BalloonLink(ledger, mover, maximum / PageRange.PAGE);
            again.restore(in.getInner("session"));
            saved = again;
        }
        mover.tell();
    }

    /** How the guest's memory fares as far as is known without asking; on the channel's reactor, or while none is open. */
    public BalloonStatus status() {
        return mover.status();
    }

    /** Stops moving memory, and waits for what is being moved. Before the memory is unmapped. Idempotent. */
    @Override
    public void close() {
        worker.close();
        worker.awaitIdle();
    }
}
