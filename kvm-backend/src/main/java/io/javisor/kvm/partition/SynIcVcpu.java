package io.javisor.kvm.partition;

import io.javisor.kvm.KvmVm;
import io.javisor.linux.EventFd;
import io.javisor.partition.GuestAddressException;
import io.javisor.partition.GuestMemory;
import io.javisor.partition.synic.SynIc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * One vCPU's SynIC pages and interrupt sources. Safe from any thread.
 *
 * <pre>
 * message page: 16 slots of 256 bytes       event page: 16 sets of 2,048 flags
 *   0  type     u32, 0 = free
 *   4  size     u8
 *   5  flags    u8, bit 0 = MessagePending
 *   8  sender   u64
 *  16  payload  240 bytes
 * </pre>
 */
final class SynIcVcpu implements AutoCloseable {
    private static final long ENABLE = 1;
    private static final long PAGE_MASK = ~0xFFFL;
    private static final int SLOT = 256;
    private static final int SIZE_OFFSET = 4;
    private static final int FLAGS_OFFSET = 5;
    private static final int PORT_OFFSET = 8;
    private static final int PAYLOAD_OFFSET = 16;
    private static final byte MESSAGE_PENDING = 1;
    private static final VarHandle INT =
            ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    private final KvmVm vm;
    private final GuestMemory memory;
    private final int vp;
    private final int gsi;
    private final int sint;
    private volatile @Nullable Source source; // made once, guarded by this
    private long control; // these five guarded by this
    private long messageGpa;
    private long eventGpa;
    private @Nullable MemorySegment messages;
    private volatile @Nullable MemorySegment events;

    /**
     * @param gsi routed to the SINT
     * @param sint the one that is used
     */
    SynIcVcpu(KvmVm vm, GuestMemory memory, int vp, int gsi, int sint) {
        this.vm = vm;
        this.memory = memory;
        this.vp = vp;
        this.gsi = gsi;
        this.sint = sint;
    }

    synchronized void written(long newControl, long newEventGpa, long newMessageGpa) {
        control = newControl;
        // The kernel does not clear overlay pages with SYNIC2: stale bytes would look like a full slot.
        if (newMessageGpa != messageGpa) {
            messageGpa = newMessageGpa;
            messages = page(newMessageGpa, true);
        }
        if (newEventGpa != eventGpa) {
            eventGpa = newEventGpa;
            page(newEventGpa, true);
        }
        events = (control & ENABLE) == 0 ? null : page(eventGpa, false);
        if ((control & ENABLE) != 0) {
            Source here = source;
            if (here != null) {
                here.tell();
            }
        }
    }

    /** Takes over what the guest wrote before it was saved; what its pages hold stays. */
    synchronized void restored(long savedControl, long savedEventGpa, long savedMessageGpa) {
        control = savedControl;
        messageGpa = savedMessageGpa;
        messages = page(savedMessageGpa, false);
        eventGpa = savedEventGpa;
        events = (control & ENABLE) == 0 ? null : page(savedEventGpa, false);
    }

    /** Interrupts the guest once for what may lie in its pages, in case an interrupt of before was lost. */
    void wake() {
        if ((control() & ENABLE) != 0) {
            source(sint).raise();
        }
    }

    synchronized SynIc.Posted post(int to, int type, byte[] payload) {
        Source wire = source(to);
        MemorySegment page = messages;
        if ((control & ENABLE) == 0 || page == null) {
            return SynIc.Posted.NOT_ENABLED;
        }
        long slot = (long) to * SLOT;
        if ((int) INT.getAcquire(page, slot) != 0) {
            page.set(ValueLayout.JAVA_BYTE, slot + FLAGS_OFFSET, MESSAGE_PENDING);
            // Pairs with the guest's barrier between freeing the slot and reading the flag.
            VarHandle.fullFence();
            if ((int) INT.getAcquire(page, slot) != 0) {
                return SynIc.Posted.SLOT_BUSY;
            }
        }
        page.set(ValueLayout.JAVA_BYTE, slot + SIZE_OFFSET, (byte) payload.length);
        page.set(ValueLayout.JAVA_BYTE, slot + FLAGS_OFFSET, (byte) 0);
        page.set(ValueLayout.JAVA_SHORT_UNALIGNED, slot + FLAGS_OFFSET + 1, (short) 0);
        page.set(ValueLayout.JAVA_LONG_UNALIGNED, slot + PORT_OFFSET, 0L);
        MemorySegment.copy(payload, 0, page, ValueLayout.JAVA_BYTE, slot + PAYLOAD_OFFSET, payload.length);
        // The type makes the message valid: last, and after all of it.
        INT.setRelease(page, slot, type);
        wire.raise();
        return SynIc.Posted.DELIVERED;
    }

    synchronized void whenSlotFree(int to, EpollReactor reactor, Runnable ready) {
        Source wire = source(to);
        wire.listen(reactor, ready);
        MemorySegment page = messages;
        if ((control & ENABLE) != 0 && page != null && (int) INT.getAcquire(page, (long) to * SLOT) == 0) {
            wire.tell();
        }
    }

    boolean setEventFlag(int to, int flag) {
        if (to != sint) {
            throw new IllegalArgumentException("SINT " + to + " has no wire; " + sint + " has");
        }
        MemorySegment page = events;
        if (page == null) {
            return false;
        }
        long word = (long) to * SLOT + (flag >>> 5) * 4L;
        int bit = 1 << (flag & 31);
        int before = (int) INT.getAndBitwiseOr(page, word, bit);
        if ((before & bit) == 0) {
            Source here = source;
            (here == null ? source(to) : here).raise();
        }
        return true;
    }

    synchronized long control() {
        return control;
    }

    @Override
    public synchronized void close() {
        Source here = source;
        if (here != null) {
            here.close();
            source = null;
        }
        events = null;
        messages = null;
        control = 0;
    }

    /** The page that an overlay MSR names, if it is enabled and lies in the guest's memory. */
    private @Nullable MemorySegment page(long msr, boolean clear) {
        if ((msr & ENABLE) == 0) {
            return null;
        }
        try {
            MemorySegment page = memory.slice(msr & PAGE_MASK, 4096);
            if (clear) {
                page.fill((byte) 0);
            }
            return page;
        } catch (GuestAddressException e) {
            return null; // the guest's own loss: it gets no messages there
        }
    }

    private synchronized Source source(int wanted) {
        if (wanted != sint) {
            throw new IllegalArgumentException("SINT " + wanted + " has no wire; " + sint + " has");
        }
        Source here = source;
        if (here == null) {
            here = new Source(vm, gsi);
            source = here;
        }
        return here;
    }

    @Override
    public String toString() {
        return "SynIC of VP " + vp;
    }

    /** The wires of one SINT: an irqfd to raise it, and its resample descriptor, which rings at the guest's EOI and EOM. */
    private static final class Source implements AutoCloseable {
        private final KvmVm vm;
        private final int gsi;
        private final EventFd raise = new EventFd();
        private final EventFd resample = new EventFd();
        private EpollReactor.@Nullable Watch watch;
        private @Nullable EpollReactor watchedOn;
        private @Nullable Runnable ready;

        Source(KvmVm vm, int gsi) {
            this.vm = vm;
            this.gsi = gsi;
            try {
                vm.interrupts().attach(raise, resample, gsi);
            } catch (RuntimeException e) {
                raise.close();
                resample.close();
                throw e;
            }
        }

        void raise() {
            raise.signal();
        }

        synchronized void listen(EpollReactor reactor, Runnable next) {
            ready = next;
            if (watch == null || watchedOn != reactor) {
                if (watch != null) {
                    watch.close();
                }
                watchedOn = reactor;
                watch = reactor.watch(resample, true, true, this::resampled);
            } else {
                watch.arm();
            }
        }

        /** The slot may be free: tells whoever asked, once, on its reactor. */
        synchronized void tell() {
            EpollReactor reactor = watchedOn;
            if (ready != null && reactor != null) {
                reactor.execute(this::resampled);
            }
        }

        private void resampled() {
            Runnable next;
            synchronized (this) {
                next = ready;
                ready = null;
            }
            if (next != null) {
                next.run();
            }
        }

        @Override
        public synchronized void close() {
            if (watch != null) {
                watch.close();
            }
            ready = null;
            vm.interrupts().detach(raise, gsi);
            raise.close();
            resample.close();
        }
    }
}
