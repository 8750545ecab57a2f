package io.javisor.memory.balloon;

import io.javisor.memory.protocol.GuestReport;
import io.javisor.memory.protocol.PageRange;
import io.javisor.partition.reactor.Reactor;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.vmbus.channel.Channel;
import io.javisor.vmbus.channel.ChannelHandler;
import io.javisor.vmbus.channel.Packet;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/** The open channel: carries messages between its ring and the session. Belongs to the channel's reactor. */
final class BalloonLink implements ChannelHandler, SessionListener {
    private static final long SECOND = 1_000_000_000L;

    private final BalloonSession session;
    private final MemoryMover mover;
    private final ArrayDeque<byte[]> unsent = new ArrayDeque<>(); // found no room; of two requests at most
    private volatile @Nullable Channel channel;
    private Reactor.@Nullable Timer timer;

    BalloonLink(PageLedger ledger, MemoryMover mover, long maximumPages) {
        session = new BalloonSession(ledger, this, maximumPages);
        this.mover = mover;
    }

    BalloonSession session() {
        return session;
    }

    /** The channel opened, or is open again after a restore. */
    void begin(Channel opened) {
        channel = opened;
        schedule(opened);
    }

    private void schedule(Channel opened) {
        timer = opened.reactor().schedule(SECOND, () -> {
            if (!opened.isPaused()) {
                session.second();
                mover.second();
            }
            schedule(opened);
        });
    }

    /** Whether the channel is open. */
    boolean isOpen() {
        return channel != null;
    }

    /** Runs something on the reactor, unless the channel has closed by then. */
    void later(Runnable task) {
        Channel open = channel;
        if (open == null) {
            return;
        }
        try {
            open.reactor().execute(() -> {
                if (open.equals(channel)) {
                    task.run();
                }
            });
        } catch (RejectedExecutionException e) {
            // The machine is closed: there is nobody to go on for.
            return;
        }
    }

    @Override
    public void received(Packet packet) {
        byte[] bytes = packet.toByteArray();
        packet.release();
        session.received(GuestReport.decode(bytes));
    }

    @Override
    public void batchReceived() {
        mover.step();
    }

    @Override
    public void send(byte[] message) {
        unsent.add(message);
        writable();
    }

    @Override
    public void writable() {
        Channel open = channel;
        while (open != null && !unsent.isEmpty() && open.send(0, false, MemorySegment.ofArray(unsent.getFirst()))) {
            unsent.removeFirst();
        }
    }

    @Override
    public void closed() {
        channel = null;
        unsent.clear();
        if (timer != null) {
            timer.cancel();
        }
        mover.closed(this);
    }

    @Override
    public void ready(GuestReport.Capabilities capabilities) {
        mover.ready(session.version(), capabilities);
    }

    @Override
    public void reported(GuestReport.Status status) {
        mover.reported(status);
    }

    @Override
    public void gaveUp(List<PageRange> ranges) {
        mover.gaveUp(ranges);
    }

    @Override
    public void balloonEnded(long asked, long got) {
        mover.balloonEnded(asked, got);
    }

    @Override
    public void unballoonEnded(long pages) {
        mover.unballoonEnded(pages);
    }

    @Override
    public void hotAddEnded(PageRange asked, long got, boolean never) {
        mover.hotAddEnded(asked, got, never);
    }

    @Override
    public void overdue(String request) {
        mover.overdue(request);
    }

    void save(StateWriter out) {
        session.save(out);
        out.put("unsent", unsent.size());
        int i = 0;
        for (byte[] message : unsent) {
            out.put("unsent" + i++, message);
        }
    }

    void restore(StateReader in) {
        session.restore(in);
        int count = in.getInt("unsent", 0, 2 * MemoryMover.MAX_MESSAGES);
        for (int i = 0; i < count; i++) {
            unsent.add(in.getBytes("unsent" + i));
        }
    }
}
