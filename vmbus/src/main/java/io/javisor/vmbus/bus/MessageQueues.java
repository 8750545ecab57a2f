package io.javisor.vmbus.bus;

import io.javisor.partition.reactor.Reactor;
import io.javisor.partition.synic.HvStatus;
import io.javisor.partition.synic.MessagePort;
import io.javisor.partition.synic.SynIc;
import io.javisor.vmbus.protocol.GuestMessage;
import io.javisor.vmbus.server.VmBusServer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Control messages on their way, in order and within bounds. In: at most {@value #MAX_IN} wait; beyond that the guest's
 * hypercall says INSUFFICIENT_BUFFERS, upon which drivers wait and try again. Out: there is one slot, so messages queue; while
 * {@value #MAX_OUT} or more are queued, nothing more is taken in, so that a guest which never reads its slot makes us keep no
 * more than that and the answers to one message (at most an offer for each channel ID). A message that ends the connection is
 * always taken, and sweeps both queues.
 */
public final class MessageQueues implements MessagePort {
    /** Messages of the guest that wait at most. */
    public static final int MAX_IN = 256;

    /** Messages to the guest from which on its own are not taken. */
    public static final int MAX_OUT = 256;

    private static final int MESSAGE_TYPE = 1; // VMBus channel message
    private static final int BUDGET = 64;

    /**
     * How soon a full slot is looked at again though nobody told that it is free, and how seldom in the end. A guest that panics
     * empties the slots of the vCPUs that it has stopped and writes EOM on the one that is left, which tells nothing of the
     * others' slots; it waits 100 s for the answer to its UNLOAD (Linux: vmbus_wait_for_unload).
     */
    private static final long FIRST_LOOK_NANOS = 50_000_000;

    private static final long LAST_LOOK_NANOS = 1_000_000_000;

    private final SynIc synIc;
    private final Reactor reactor;
    private final Consumer<byte[]> receiver;
    private final ArrayDeque<byte[]> in = new ArrayDeque<>(); // guarded by itself
    private boolean scheduled; // guarded by in
    private final ArrayDeque<byte[]> out = new ArrayDeque<>(); // the reactor's, like all that follows
    private int vp;
    private int waitingFor = -1;
    private boolean paused;
    private Reactor.@Nullable Timer look;
    private long lookNanos = FIRST_LOOK_NANOS;

    /**
     * Empty queues.
     *
     * @param reactor the bus's
     * @param receiver takes the guest's messages, there
     */
    public MessageQueues(SynIc synIc, Reactor reactor, Consumer<byte[]> receiver) {
        this.synIc = synIc;
        this.reactor = reactor;
        this.receiver = receiver;
    }

    @Override
    public HvStatus posted(int connectionId, int type, byte[] payload) {
        if (connectionId != VmBusServer.CONNECTION_ID && connectionId != VmBusServer.CONNECTION_ID_5) {
            return HvStatus.INVALID_CONNECTION_ID;
        }
        if (type != MESSAGE_TYPE) {
            return HvStatus.INVALID_PARAMETER;
        }
        synchronized (in) {
            if (GuestMessage.endsConnection(payload)) {
                in.clear(); // what came before belongs to the connection that ends
            } else if (in.size() >= MAX_IN) {
                return HvStatus.INSUFFICIENT_BUFFERS;
            }
            in.add(payload);
            try {
                schedule();
            } catch (RejectedExecutionException e) {
                return HvStatus.INVALID_CONNECTION_ID; // the machine is closing
            }
        }
        return HvStatus.SUCCESS;
    }

    private void schedule() {
        synchronized (in) {
            if (!scheduled) {
                scheduled = true;
                reactor.execute(this::take);
            }
        }
    }

    private void take() {
        synchronized (in) {
            scheduled = false;
        }
        for (int i = 0; i < BUDGET; i++) {
            byte[] message = next();
            if (message == null) {
                return;
            }
            receiver.accept(message);
        }
        schedule();
    }

    private byte @Nullable [] next() {
        synchronized (in) {
            byte[] first = in.peek();
            if (first == null || paused || (out.size() >= MAX_OUT && !GuestMessage.endsConnection(first))) {
                return null;
            }
            return in.poll();
        }
    }

    /** Forgets what was not sent; from now on messages go to this vCPU. */
    public void reset(int newVp) {
        out.clear();
        vp = newVp;
    }

    /** Sends a message after those before it. */
    public void send(byte[] message) {
        out.add(message);
        flush();
    }

    private void flush() {
        boolean stalled = out.size() >= MAX_OUT;
        for (byte[] message = out.peek(); message != null && !paused; message = out.peek()) {
            SynIc.Posted posted = synIc.post(vp, VmBusServer.SINT, MESSAGE_TYPE, message);
            if (posted != SynIc.Posted.DELIVERED) {
                await(posted);
                break;
            }
            out.remove();
            lookNanos = FIRST_LOOK_NANOS;
        }
        if (stalled && out.size() < MAX_OUT) {
            schedule();
        }
    }

    private void await(SynIc.Posted posted) {
        if (waitingFor != vp) {
            int slot = vp;
            waitingFor = slot;
            synIc.whenSlotFree(slot, VmBusServer.SINT, reactor, () -> slotFree(slot));
        }
        if (posted == SynIc.Posted.SLOT_BUSY && look == null) {
            look = reactor.schedule(lookNanos, () -> {
                look = null;
                lookNanos = Math.min(2 * lookNanos, LAST_LOOK_NANOS);
                flush();
            });
        }
    }

    private void slotFree(int slot) {
        if (waitingFor == slot) {
            waitingFor = -1;
        }
        flush();
    }

    /** Stops taking and sending. */
    public void pause() {
        paused = true;
    }

    /** Goes on. */
    public void resume() {
        paused = false;
        waitingFor = -1; // ask anew: after a restore nobody else will
        flush();
        schedule();
    }

    /** Messages of the guest that wait. */
    public List<byte[]> incoming() {
        synchronized (in) {
            return new ArrayList<>(in);
        }
    }

    /** Messages to the guest that wait. */
    public List<byte[]> outgoing() {
        return new ArrayList<>(out);
    }

    /** Takes over what waited when the bus was saved; paused. */
    public void restore(List<byte[]> incoming, List<byte[]> outgoing) {
        synchronized (in) {
            in.clear();
            in.addAll(incoming);
        }
        // What the restore itself had to say comes after.
        List<byte[]> said = new ArrayList<>(out);
        out.clear();
        out.addAll(outgoing);
        out.addAll(said);
    }
}
