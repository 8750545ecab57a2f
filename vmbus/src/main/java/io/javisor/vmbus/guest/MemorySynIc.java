package io.javisor.vmbus.guest;

import io.javisor.partition.reactor.Reactor;
import io.javisor.partition.synic.Doorbell;
import io.javisor.partition.synic.HvStatus;
import io.javisor.partition.synic.MessagePort;
import io.javisor.partition.synic.SynIc;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** A SynIC without a hypervisor: both sides of it are Java. Safe from any thread. */
public final class MemorySynIc implements SynIc {
    private record Slot(int vp, int sint) {}

    private record Waiting(Reactor reactor, Runnable ready) {}

    private final int vcpus;
    private final LongSupplier time;
    private final Map<Slot, byte[]> messages = new HashMap<>();
    private final Map<Slot, Waiting> waiting = new HashMap<>();
    private final Map<Slot, BitSet> flags = new HashMap<>();
    private final Map<Integer, Bell> bells = new HashMap<>();
    private @Nullable MessagePort port;
    private boolean enabled = true;
    private long interrupts;

    /**
     * A SynIC.
     *
     * @param vcpus of the machine
     * @param time the reference time, in units of 100 ns
     */
    public MemorySynIc(int vcpus, LongSupplier time) {
        this.vcpus = vcpus;
        this.time = time;
    }

    @Override
    public int vcpuCount() {
        return vcpus;
    }

    @Override
    public long referenceTime() {
        return time.getAsLong();
    }

    @Override
    public synchronized Posted post(int vp, int sint, int type, byte[] payload) {
        Slot slot = slot(vp, sint);
        if (type == 0 || payload.length > MAX_PAYLOAD) {
            throw new IllegalArgumentException("message of type " + type + " and " + payload.length + " bytes");
        }
        if (!enabled) {
            return Posted.NOT_ENABLED;
        }
        if (messages.putIfAbsent(slot, payload.clone()) != null) {
            return Posted.SLOT_BUSY;
        }
        interrupts++;
        return Posted.DELIVERED;
    }

    @Override
    public synchronized void whenSlotFree(int vp, int sint, Reactor reactor, Runnable ready) {
        Slot slot = slot(vp, sint);
        if (enabled && !messages.containsKey(slot)) {
            reactor.execute(ready);
        } else {
            waiting.put(slot, new Waiting(reactor, ready));
        }
    }

    @Override
    public synchronized boolean setEventFlag(int vp, int sint, int flag) {
        Slot slot = slot(vp, sint);
        Objects.checkIndex(flag, EVENT_FLAGS);
        if (!enabled) {
            return false;
        }
        BitSet set = flags.computeIfAbsent(slot, s -> new BitSet());
        if (!set.get(flag)) {
            set.set(flag);
            interrupts++;
            notifyAll(); // who halted
        }
        return true;
    }

    @Override
    public synchronized Doorbell openDoorbell(int connectionId, Reactor reactor, Runnable rung) {
        Bell bell = new Bell(connectionId, reactor, rung);
        if (connectionId < 0 || connectionId > MAX_CONNECTION_ID || bells.putIfAbsent(connectionId, bell) != null) {
            throw new IllegalArgumentException("connection ID " + connectionId);
        }
        return bell;
    }

    @Override
    public synchronized void setMessagePort(MessagePort newPort) {
        port = newPort;
    }

    private Slot slot(int vp, int sint) {
        return new Slot(Objects.checkIndex(vp, vcpus), Objects.checkIndex(sint, SINTS));
    }

    // The guest's side

    /** The guest posts a message. */
    public HvStatus guestPosts(int connectionId, int type, byte[] payload) {
        MessagePort to;
        synchronized (this) {
            to = port;
        }
        return to == null ? HvStatus.INVALID_CONNECTION_ID : to.posted(connectionId, type, payload.clone());
    }

    /** The guest signals a connection. */
    public HvStatus guestSignals(int connectionId) {
        Bell bell;
        synchronized (this) {
            bell = bells.get(connectionId);
        }
        if (bell == null) {
            return HvStatus.INVALID_CONNECTION_ID;
        }
        bell.reactor.execute(bell::ring);
        return HvStatus.SUCCESS;
    }

    /** The guest takes the message out of a slot and writes EOM; null if the slot is empty. */
    public synchronized byte @Nullable [] guestTakes(int vp, int sint) {
        Slot slot = slot(vp, sint);
        byte[] message = messages.remove(slot);
        if (message != null) {
            tellFree(slot);
        }
        return message;
    }

    /** The guest takes the message out of a slot of a vCPU that it has stopped, and writes EOM on another: nobody hears of it. */
    public synchronized byte @Nullable [] guestTakesElsewhere(int vp, int sint) {
        return messages.remove(slot(vp, sint));
    }

    /** The guest takes and clears an event flag. */
    public synchronized boolean guestTakesFlag(int vp, int sint, int flag) {
        BitSet set = flags.get(slot(vp, sint));
        if (set == null || !set.get(flag)) {
            return false;
        }
        set.clear(flag);
        return true;
    }

    /**
     * The guest halts until an event flag is set, which it takes and clears.
     *
     * @param limit milliseconds after which it goes on in any case, at least 1
     * @return whether the flag was set
     */
    public synchronized boolean guestHalts(int vp, int sint, int flag, long limit) throws InterruptedException {
        long end = System.nanoTime() + limit * 1_000_000;
        while (!guestTakesFlag(vp, sint, flag)) {
            long left = (end - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                return false;
            }
            wait(left);
        }
        return true;
    }

    /** The guest turns its SynIC off and on; off, messages and flags don't arrive. What is in the slots is lost. */
    public synchronized void guestEnables(boolean on) {
        enabled = on;
        messages.clear();
        if (on) {
            Map.copyOf(waiting).keySet().forEach(this::tellFree);
        }
    }

    /** Interrupts that the guest has had. */
    public synchronized long interrupts() {
        return interrupts;
    }

    /** Connection IDs that are open. */
    public synchronized int doorbells() {
        return bells.size();
    }

    private void tellFree(Slot slot) {
        Waiting one = waiting.remove(slot);
        if (one != null) {
            one.reactor.execute(one.ready);
        }
    }

    private final class Bell implements Doorbell {
        private final int connectionId;
        private final Reactor reactor;
        private final Runnable rung;
        private volatile boolean closed;

        Bell(int connectionId, Reactor reactor, Runnable rung) {
            this.connectionId = connectionId;
            this.reactor = reactor;
            this.rung = rung;
        }

        void ring() {
            if (!closed) {
                rung.run();
            }
        }

        @Override
        public int connectionId() {
            return connectionId;
        }

        @Override
        public void close() {
            closed = true;
            synchronized (MemorySynIc.this) {
                bells.remove(connectionId, this);
            }
        }
    }
}
