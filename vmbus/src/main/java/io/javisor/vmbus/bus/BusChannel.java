package io.javisor.vmbus.bus;

import io.javisor.partition.GuestMemory;
import io.javisor.partition.reactor.Reactor;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.partition.synic.Doorbell;
import io.javisor.partition.synic.SynIc;
import io.javisor.vmbus.channel.Channel;
import io.javisor.vmbus.channel.ChannelDevice;
import io.javisor.vmbus.channel.ChannelHandler;
import io.javisor.vmbus.channel.ChannelRefusedException;
import io.javisor.vmbus.channel.GuestBuffer;
import io.javisor.vmbus.protocol.Octets;
import io.javisor.vmbus.protocol.VmBusVersion;
import io.javisor.vmbus.ring.IncomingRing;
import io.javisor.vmbus.ring.OutgoingRing;
import io.javisor.vmbus.ring.PacketTypes;
import io.javisor.vmbus.ring.PageRuns;
import io.javisor.vmbus.ring.RingCorruptException;
import io.javisor.vmbus.ring.RingMemory;
import io.javisor.vmbus.server.Gpadl;
import io.javisor.vmbus.server.VmBusServer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One open channel. Its rings, its handler and most of its state belong to its reactor. */
public final class BusChannel implements Channel {
    /** Packets that a channel gives its handler before others have their turn on the reactor. */
    static final int BUDGET = 64;

    /** Packets after which a guest that looks by itself is shown what they led to, while the others are worked on. */
    private static final int STRIDE = 8;

    /** How long a device may hold packets of a closed channel before the guest gets its memory back regardless. */
    static final long CLOSE_LIMIT_NANOS = 60_000_000_000L;

    /** How often a full ring is looked at if the guest does not say when it has room. */
    static final long POLL_NANOS = 10_000_000L;

    private static final int TRAILER = 8; // behind each packet in a ring, and no part of it

    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle FINISHED;

    static {
        try {
            FINISHED = MethodHandles.lookup().findVarHandle(BusChannel.class, "finished", BusPacket.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private enum State {
        OPEN,
        FAILED,
        CLOSING,
        CLOSED
    }

    /**
     * What a channel is made of.
     *
     * @param relId channel ID
     * @param connectionId where the guest signals
     * @param subChannelIndex 0 for a primary channel
     * @param device whose it is
     * @param version of the protocol
     * @param ring pages of both rings
     * @param downstreamPage where the host→guest ring begins
     * @param userData from the guest's driver
     */
    public record Parameters(
            int relId,
            int connectionId,
            int subChannelIndex,
            ChannelDevice device,
            VmBusVersion version,
            PageRuns ring,
            int downstreamPage,
            Octets userData) {}

    private final Parameters parameters;
    private final GuestMemory memory;
    private final SynIc synIc;
    private final Reactor reactor;
    private final ChannelEvents events;
    private final Map<Integer, Gpadl> gpadls;
    private final TrafficCounter traffic;
    private final Runnable poll = this::poll;

    private volatile int targetVp;
    private volatile State state = State.OPEN;
    private volatile @Nullable BusPacket finished; // by other threads; a stack

    // The rest belongs to the reactor.
    private final IncomingRing in;
    private final OutgoingRing out;
    private final ArrayDeque<BusPacket> free = new ArrayDeque<>();
    private final ArrayDeque<BusPacket> waiting = new ArrayDeque<>(); // completions without room
    private @Nullable ChannelHandler handler;
    private @Nullable Doorbell doorbell;
    private @Nullable MemorySegment transferHeader;
    private int held; // lent to the handler, or waiting
    private int blockedBytes; // of a send that found no room
    private boolean started;
    private volatile boolean paused;
    private boolean owesSignal; // for what was shown and the guest did not take yet
    private boolean wakeGuest;
    private @Nullable Runnable whenQuiet;
    private boolean polling;
    private boolean pollScheduled;
    private boolean awaitingRoom;
    private boolean roomTimer;

    /**
     * A channel over its rings; on its reactor.
     *
     * @param gpadls what the guest lent, by handle; concurrent, kept up to date by the bus
     * @param traffic of its device on its reactor
     * @param saved the rings' state, or null for a fresh channel
     */
    public BusChannel(
            Parameters parameters,
            int targetVp,
            GuestMemory memory,
            SynIc synIc,
            Reactor reactor,
            ChannelEvents events,
            Map<Integer, Gpadl> gpadls,
            TrafficCounter traffic,
            @Nullable StateReader saved) {
        this.parameters = parameters;
        this.targetVp = targetVp;
        this.memory = memory;
        this.synIc = synIc;
        this.reactor = reactor;
        this.events = events;
        this.gpadls = gpadls;
        this.traffic = traffic;
        long split = (long) parameters.downstreamPage * PageRuns.PAGE;
        RingMemory upstream = new RingMemory(parameters.ring.part(0, split));
        RingMemory downstream = new RingMemory(parameters.ring.part(split, parameters.ring.length() - split));
        if (saved == null) {
            in = new IncomingRing(upstream);
            out = new OutgoingRing(downstream);
        } else {
            in = new IncomingRing(upstream, saved.getInt("in", 0, upstream.size() - 8));
            out = new OutgoingRing(downstream, saved.getInt("out", 0, downstream.size() - 8));
            if (saved.getBoolean("failed")) {
                state = State.FAILED;
            }
            started = true;
            paused = true;
            int packets = saved.getInt("waiting", 0, parameters.device.maxPacketsHeld());
            for (int i = 0; i < packets; i++) {
                BusPacket packet = new BusPacket(this, memory, parameters.device.maxPacketBytes());
                packet.restore(saved.getLong("transaction" + i), saved.getBytes("completion" + i));
                waiting.add(packet);
                held++;
            }
        }
    }

    /** Gives it to its device, unless it had failed when it was saved; on its reactor. */
    public void open(boolean restored) {
        if (state != State.OPEN) {
            return;
        }
        handler = restored ? parameters.device.restored(this) : parameters.device.opened(this);
        if (state == State.OPEN) {
            doorbell = synIc.openDoorbell(parameters.connectionId, reactor, this::rung);
        }
    }

    /** The guest knows that it is open: traffic begins. */
    public void start() {
        started = true;
        poll();
    }

    /** Channel ID. */
    public int relId() {
        return parameters.relId;
    }

    /** Whose it is. */
    public ChannelDevice device() {
        return parameters.device;
    }

    // Reading

    private void schedule() {
        if (!pollScheduled && !polling) {
            pollScheduled = true;
            reactor.execute(poll);
        }
    }

    private void rung() {
        traffic.signalled();
        poll();
    }

    private void poll() {
        pollScheduled = false;
        boolean again = false;
        polling = true;
        try {
            takeFinished();
            if (state == State.OPEN && started && !paused) {
                in.mask();
                flush();
                again = read();
                if (state == State.OPEN) {
                    again |= publish();
                }
            }
        } catch (RuntimeException | Error e) {
            fail(e.getMessage() == null ? e.toString() : String.valueOf(e.getMessage()));
        } finally {
            polling = false;
        }
        if (again && state == State.OPEN) {
            schedule();
        }
    }

    /** Reads up to the budget; returns whether there is more to do at once. */
    private boolean read() {
        ChannelHandler to = Objects.requireNonNull(handler);
        int limit = parameters.device.maxPacketsHeld();
        int count = 0;
        boolean empty = false;
        while (count < BUDGET && held < limit && state == State.OPEN) {
            BusPacket packet = free.poll();
            if (packet == null) {
                packet = new BusPacket(this, memory, parameters.device.maxPacketBytes());
            }
            if (!in.next(packet.buffer)) {
                free.push(packet);
                empty = true;
                break;
            }
            traffic.received(packet.buffer.payloadOffset() + packet.buffer.payloadLength());
            switch (packet.type()) {
                case PacketTypes.IN_BAND, PacketTypes.TRANSFER_PAGES, PacketTypes.COMPLETION -> packet.pages.clear();
                case PacketTypes.GPA_DIRECT -> packet.buffer.resolve(packet.pages);
                default -> throw new ChannelRefusedException("packet of type " + packet.type());
            }
            count++;
            held++;
            packet.lend();
            to.received(packet);
            if (count % STRIDE == 0 && state == State.OPEN) {
                // A signal, if it needs one, comes with the last: one for all.
                owesSignal |= out.publish();
            }
        }
        if (count > 0 && state == State.OPEN) {
            to.batchReceived();
        }
        if (state != State.OPEN) {
            return false;
        }
        if (in.commit()) {
            signal();
        }
        if (empty && count > 0) {
            return true; // a guest that sends often does so before this comes again, and need not signal
        }
        // When the device holds all it can, the ring stays masked until it finishes one.
        return empty ? in.unmask() : count == BUDGET;
    }

    // Writing

    /** Writes completions that found no room, then lets the handler go on. */
    private void flush() {
        for (BusPacket packet = waiting.peek(); packet != null; packet = waiting.peek()) {
            if (!write(packet)) {
                return;
            }
            waiting.remove();
            recycle(packet);
        }
        if (blockedBytes != 0 && out.hasRoomFor(blockedBytes)) {
            blockedBytes = 0;
            Objects.requireNonNull(handler).writable();
        }
    }

    private boolean write(BusPacket packet) {
        return write(
                PacketTypes.COMPLETION,
                0,
                packet.transactionId(),
                MemorySegment.NULL,
                0,
                packet.response(),
                packet.responseLength());
    }

    private boolean write(
            int type,
            int flags,
            long transaction,
            MemorySegment header,
            int headerBytes,
            MemorySegment payload,
            int bytes) {
        if (!out.write(type, flags, transaction, header, headerBytes, payload, 0, bytes)) {
            return false;
        }
        traffic.sent(OutgoingRing.packetBytes(headerBytes, bytes) - TRAILER);
        return true;
    }

    /** Shows the guest what was written; returns whether room came up for what was not. */
    private boolean publish() {
        boolean owed = owesSignal && !out.isDrained(); // a guest that is awake has taken it
        owesSignal = false;
        if (out.publish() || owed) {
            signal();
        }
        BusPacket first = waiting.peek();
        int wanted = first != null ? OutgoingRing.packetBytes(0, first.responseLength()) : blockedBytes;
        if (wanted == 0) {
            if (awaitingRoom) {
                awaitingRoom = false;
                out.roomFound();
            }
            return false;
        }
        awaitingRoom = true;
        if (out.awaitRoom(wanted)) {
            return true;
        }
        if (!in.peerTellsRoom() && !roomTimer) {
            roomTimer = true;
            reactor.schedule(POLL_NANOS, () -> {
                roomTimer = false;
                poll();
            });
        }
        return false;
    }

    private void signal() {
        traffic.signals();
        synIc.setEventFlag(targetVp, VmBusServer.SINT, parameters.relId);
    }

    @Override
    public boolean send(long transactionId, boolean completionRequested, MemorySegment payload) {
        int flags = completionRequested ? PacketTypes.COMPLETION_REQUESTED : 0;
        return send(PacketTypes.IN_BAND, flags, transactionId, MemorySegment.NULL, 0, payload);
    }

    @Override
    public boolean sendTransferPages(long transactionId, int pageSet, int[] ranges, int count, MemorySegment payload) {
        int bytes = 8 + 8 * Objects.checkIndex(count, ranges.length / 2 + 1);
        MemorySegment header = transferHeader;
        if (header == null || header.byteSize() < bytes) {
            header = MemorySegment.ofArray(new byte[bytes]);
            transferHeader = header;
        }
        header.set(U32, 0, pageSet & 0xFFFF); // and: the receiver does not own the set
        header.set(U32, 4, count);
        for (int i = 0; i < 2 * count; i++) {
            header.set(U32, 8 + 4L * i, ranges[i]);
        }
        return send(
                PacketTypes.TRANSFER_PAGES, PacketTypes.COMPLETION_REQUESTED, transactionId, header, bytes, payload);
    }

    private boolean send(
            int type, int flags, long transaction, MemorySegment header, int headerBytes, MemorySegment payload) {
        if (state != State.OPEN) {
            return true;
        }
        int bytes = Math.toIntExact(payload.byteSize());
        try {
            if (!paused && waiting.isEmpty() && write(type, flags, transaction, header, headerBytes, payload, bytes)) {
                schedule();
                return true;
            }
        } catch (RingCorruptException e) {
            fail(String.valueOf(e.getMessage()));
            return true;
        }
        blockedBytes = OutgoingRing.packetBytes(headerBytes, bytes);
        schedule();
        return false;
    }

    @Override
    public int maxPayload() {
        return Math.min(out.capacity(), 8 * 0xFFFF) - OutgoingRing.packetBytes(0, 0);
    }

    @Override
    public boolean isDrained() {
        return waiting.isEmpty() && out.isDrained();
    }

    // Packets that come back

    /** From any thread. */
    void finished(BusPacket packet) {
        if (reactor.isCurrent()) {
            finish(packet);
            return;
        }
        BusPacket top;
        do {
            top = finished;
            packet.next = top;
        } while (!FINISHED.compareAndSet(this, top, packet));
        if (top == null) {
            try {
                reactor.execute(poll);
            } catch (RejectedExecutionException e) {
                // The machine is closed: nobody waits for the answer.
                return;
            }
        }
    }

    private void takeFinished() {
        BusPacket packet = (BusPacket) FINISHED.getAndSet(this, null);
        BusPacket inOrder = null;
        while (packet != null) {
            BusPacket next = packet.next;
            packet.next = inOrder;
            inOrder = packet;
            packet = next;
        }
        while (inOrder != null) {
            BusPacket next = inOrder.next;
            inOrder.next = null;
            finish(inOrder);
            inOrder = next;
        }
    }

    private void finish(BusPacket packet) {
        if (state == State.OPEN && packet.hasResponse()) {
            try {
                if (paused || !waiting.isEmpty() || !write(packet)) {
                    waiting.add(packet);
                } else {
                    recycle(packet);
                }
            } catch (RuntimeException e) {
                recycle(packet);
                fail(String.valueOf(e.getMessage()));
            }
        } else {
            recycle(packet);
        }
        if (state == State.OPEN) {
            schedule();
        }
        settle();
    }

    private void recycle(BusPacket packet) {
        held--;
        if (state == State.OPEN) {
            free.push(packet);
        }
    }

    /** Reports once nothing is with the device. */
    private void settle() {
        if (held != waiting.size()) {
            return;
        }
        Runnable quiet = whenQuiet;
        if (quiet != null) {
            whenQuiet = null;
            quiet.run();
        }
        if (state == State.CLOSING) {
            reportClosed();
        }
    }

    // The channel's life

    @Override
    public void fail(String reason) {
        if (state == State.OPEN) {
            state = State.FAILED;
            stop();
            events.failed(this, reason);
        }
    }

    /** Closes it; {@link ChannelEvents#closed} follows when the device has let go of everything. */
    public void close() {
        if (state == State.OPEN || state == State.FAILED) {
            boolean open = state == State.OPEN;
            state = State.CLOSING;
            if (open) {
                stop();
            }
            takeFinished();
            settle();
            if (state == State.CLOSING) {
                reactor.schedule(CLOSE_LIMIT_NANOS, this::reportClosed);
            }
        }
    }

    private void stop() {
        Doorbell bell = doorbell;
        if (bell != null) {
            bell.close();
            doorbell = null;
        }
        held -= waiting.size();
        waiting.clear();
        free.clear();
        ChannelHandler to = handler;
        if (to != null) {
            try {
                to.closed();
            } catch (RuntimeException e) {
                events.failed(this, "closed() failed: " + e);
            }
        }
    }

    private void reportClosed() {
        if (state == State.CLOSING) {
            state = State.CLOSED;
            events.closed(this);
        }
    }

    /** Stops reading; calls back when nothing is with the device. */
    public void pause(Runnable quiet) {
        if (state == State.OPEN) {
            try {
                publish(); // what is staged only would be lost if the machine were saved
            } catch (RingCorruptException e) {
                fail(String.valueOf(e.getMessage()));
            }
        }
        paused = true;
        tell(ChannelHandler::paused);
        whenQuiet = quiet;
        takeFinished();
        settle();
    }

    private void tell(Consumer<ChannelHandler> what) {
        ChannelHandler to = handler;
        if (state == State.OPEN && to != null) {
            try {
                what.accept(to);
            } catch (RuntimeException e) {
                fail(String.valueOf(e.getMessage()));
            }
        }
    }

    /** Goes on after a pause. */
    public void resume() {
        paused = false;
        tell(ChannelHandler::resumed);
        whenQuiet = null;
        if (wakeGuest) {
            wakeGuest = false;
            signal();
        }
        schedule();
    }

    /** Writes the rings' state; paused. */
    public void save(StateWriter to) {
        to.put("failed", state == State.FAILED);
        to.put("in", in.readIndex());
        to.put("out", out.writeIndex());
        to.put("waiting", waiting.size());
        int i = 0;
        for (BusPacket packet : waiting) {
            to.put("transaction" + i, packet.transactionId());
            to.put("completion" + i, packet.responseBytes());
            i++;
        }
    }

    /** Makes the next resume tell the guest to look, in case a signal of before the save was lost. */
    public void wakeGuestWhenResumed() {
        wakeGuest = true;
    }

    // What the bus changes

    /** Another vCPU is interrupted from now on. From any thread. */
    public void retarget(int vp) {
        targetVp = vp;
    }

    /** The guest wants memory back; on the reactor. */
    public void releaseGpadl(int id) {
        ChannelHandler to = handler;
        if (gpadls.remove(id) != null && to != null && state == State.OPEN) {
            try {
                to.gpadlReleased(id);
            } catch (RuntimeException e) {
                fail("gpadlReleased() failed: " + e);
            }
        }
    }

    // What the device asks

    @Override
    public Reactor reactor() {
        return reactor;
    }

    @Override
    public VmBusVersion version() {
        return parameters.version;
    }

    @Override
    public int subChannelIndex() {
        return parameters.subChannelIndex;
    }

    @Override
    public int targetVp() {
        return targetVp;
    }

    @Override
    public Octets userData() {
        return parameters.userData;
    }

    @Override
    public boolean isOpen() {
        return state == State.OPEN;
    }

    @Override
    public boolean isPaused() {
        return paused;
    }

    @Override
    public GuestBuffer gpadl(int gpadl) {
        Gpadl found = gpadls.get(gpadl);
        if (found == null) {
            throw new ChannelRefusedException("GPADL 0x" + Integer.toHexString(gpadl) + " is not known");
        }
        return found.buffer();
    }

    @Override
    public void offerSubChannels(int count) {
        if (parameters.subChannelIndex != 0) {
            throw new IllegalStateException("sub-channels are offered on the primary channel");
        }
        events.offerSubChannels(this, count);
    }
}
