package io.javisor.vmbus.guest;

import io.javisor.partition.synic.HvStatus;
import io.javisor.vmbus.protocol.GuestMessage;
import io.javisor.vmbus.protocol.HostMessage;
import io.javisor.vmbus.protocol.Wire;
import io.javisor.vmbus.ring.IncomingRing;
import io.javisor.vmbus.ring.OutgoingRing;
import io.javisor.vmbus.ring.PacketBuffer;
import io.javisor.vmbus.ring.PacketTypes;
import io.javisor.vmbus.ring.PageRuns;
import io.javisor.vmbus.ring.RingMemory;
import io.javisor.vmbus.server.VmBusServer;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An open channel, the guest's side (VSC). Belongs to the test's thread. */
public final class GuestChannel {
    private final TestGuest guest;
    private final HostMessage.OfferChannel offer;
    private final int ringGpadl;
    private final long ringGpa;
    private final int upstreamPages;
    private final int targetVp;
    private final OutgoingRing out;
    private final IncomingRing in;
    private final PacketBuffer buffer = new PacketBuffer(8 * 0xFFFF);
    private long signals;

    GuestChannel(
            TestGuest guest,
            HostMessage.OfferChannel offer,
            int ringGpadl,
            long ringGpa,
            PageRuns upstream,
            PageRuns downstream,
            int targetVp) {
        this.guest = guest;
        this.offer = offer;
        this.ringGpadl = ringGpadl;
        this.ringGpa = ringGpa;
        this.targetVp = targetVp;
        upstreamPages = (int) (upstream.length() / PageRuns.PAGE);
        RingMemory up = new RingMemory(upstream);
        RingMemory down = new RingMemory(downstream);
        up.initialize();
        down.initialize();
        out = new OutgoingRing(up);
        in = new IncomingRing(down);
    }

    /** The offer that was opened. */
    public HostMessage.OfferChannel offer() {
        return offer;
    }

    /** Channel ID. */
    public int relId() {
        return offer.relId();
    }

    /** Guest-physical address of the guest→host ring's control page; the other ring follows it. */
    public long ringGpa() {
        return ringGpa;
    }

    /** Guest-physical address of the host→guest ring's control page. */
    public long downstreamGpa() {
        return ringGpa + (long) upstreamPages * PageRuns.PAGE;
    }

    /** Handle of the rings' GPADL. */
    public int ringGpadl() {
        return ringGpadl;
    }

    /** Times that the guest had to signal the host. */
    public long signals() {
        return signals;
    }

    /** Sends an in-band packet, and lets the host work. Throws if the ring is full. */
    public void send(long transactionId, byte[] payload, boolean completionRequested) {
        if (!trySend(transactionId, payload, completionRequested)) {
            throw new IllegalStateException("the guest's ring is full");
        }
        flush();
    }

    /** Stages an in-band packet; {@link #flush} shows it to the host. Returns false if the ring is full. */
    public boolean trySend(long transactionId, byte[] payload, boolean completionRequested) {
        return write(PacketTypes.IN_BAND, completionRequested ? 1 : 0, transactionId, new byte[0], payload);
    }

    /** Sends a completion, and lets the host work. */
    public void complete(long transactionId, byte[] payload) {
        if (!write(PacketTypes.COMPLETION, 0, transactionId, new byte[0], payload)) {
            throw new IllegalStateException("the guest's ring is full");
        }
        flush();
    }

    /** Sends a GPA-direct packet whose pages are these ranges, one range of the packet each, and lets the host work. */
    public void sendGpaDirect(long transactionId, byte[] payload, List<GuestRange> ranges) {
        if (!trySendGpaDirect(transactionId, payload, ranges)) {
            throw new IllegalStateException("the guest's ring is full");
        }
        flush();
    }

    /** Stages a GPA-direct packet; returns false if the ring is full. */
    public boolean trySendGpaDirect(long transactionId, byte[] payload, List<GuestRange> ranges) {
        List<Long> words = new ArrayList<>();
        for (GuestRange range : ranges) {
            range.addTo(words);
        }
        ByteBuffer header =
                Wire.buffer(new byte[8 + 8 * words.size()]).putInt(0).putInt(ranges.size());
        words.forEach(header::putLong);
        return write(PacketTypes.GPA_DIRECT, 1, transactionId, Wire.bytes(header), payload);
    }

    /** Stages any packet, sensible or not; returns false if the ring is full. */
    public boolean write(int type, int flags, long transactionId, byte[] header, byte[] payload) {
        MemorySegment bytes = MemorySegment.ofArray(payload);
        return out.write(
                type, flags, transactionId, MemorySegment.ofArray(header), header.length, bytes, 0, payload.length);
    }

    /** Shows the host what was staged, and signals it if it must be. */
    public void publish() {
        if (out.publish()) {
            signal();
        }
    }

    /** Shows the host what was staged, signals it if it must be, and lets it work. */
    public void flush() {
        publish();
        guest.run();
    }

    /** Signals the host, needed or not. */
    public HvStatus signal() {
        signals++;
        return guest.synIc().guestSignals(offer.connectionId());
    }

    /** Takes the next packet of the host; null if there is none. */
    public @Nullable GuestPacket tryReceive() {
        guest.run();
        if (!in.next(buffer)) {
            return null;
        }
        GuestPacket packet = new GuestPacket(
                buffer.type(),
                buffer.completionRequested(),
                buffer.transactionId(),
                buffer.extraHeader(),
                buffer.payload());
        if (in.commit()) {
            signal();
        }
        return packet;
    }

    /** Asks the host not to interrupt for this channel: the guest looks by itself, with {@link #poll}. */
    public void mask() {
        in.mask();
    }

    /**
     * Halts after {@link #mask} until the host interrupts for this channel, as a guest does that finds nothing by {@link #poll}:
     * for guests that the host serves on another thread.
     *
     * @param limit milliseconds after which it goes on in any case, at least 1
     * @return whether there is something, or may be
     */
    public boolean halt(long limit) throws InterruptedException {
        try {
            return in.unmask() || guest.synIc().guestHalts(targetVp, VmBusServer.SINT, relId(), limit);
        } finally {
            in.mask();
        }
    }

    /**
     * Takes the next packet of the host into a buffer, without letting the host work, until {@link #taken}: for guests that the
     * host serves on another thread.
     *
     * @return false if there is none
     */
    public boolean poll(PacketBuffer into) {
        return in.next(into);
    }

    /** Gives the room of what was polled back, and signals the host if it waits for that. */
    public void taken() {
        if (in.commit()) {
            signal();
        }
    }

    /** Takes the next packet of the host; throws if there is none. */
    public GuestPacket receive() {
        GuestPacket packet = tryReceive();
        if (packet == null) {
            throw new IllegalStateException("no packet from the host");
        }
        return packet;
    }

    /** Whether the host interrupted the guest for this channel since the last call. */
    public boolean wasSignalled() {
        return guest.synIc().guestTakesFlag(targetVp, VmBusServer.SINT, relId());
    }

    /** Lends memory for this channel; returns the handle. */
    public int lend(List<GuestRange> ranges) {
        return guest.createGpadl(relId(), ranges);
    }

    /** Takes lent memory back, and waits for the host to let go. */
    public void takeBack(int gpadl) {
        guest.post(new GuestMessage.GpadlTeardown(relId(), gpadl));
        guest.expect(HostMessage.GpadlTorndown.class, m -> m.gpadl() == gpadl);
    }

    /** Closes the channel as Linux does: close, then take the rings back. */
    public void close() {
        guest.post(new GuestMessage.CloseChannel(relId()));
        takeBack(ringGpadl);
    }
}
