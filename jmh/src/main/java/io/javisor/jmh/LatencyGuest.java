package io.javisor.jmh;

import com.sun.management.ThreadMXBean;
import io.javisor.kvm.Exit;
import io.javisor.kvm.GsiRoute;
import io.javisor.kvm.Vcpu;
import io.javisor.kvm.VmDoorbells;
import io.javisor.kvm.partition.EpollReactor;
import io.javisor.linux.EventFd;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * A guest (src/main/guest/latencies.S) with an interrupt that an event descriptor raises, and a doorbell that a reactor hears, and how
 * long either takes. What is timed begins and ends with a look at the clock in this process.
 */
final class LatencyGuest implements AutoCloseable {
    /** What the guest does, by the number that it takes in RSI. */
    enum Way {
        /** It halts, and counts interrupts. */
        HALTED,
        /** It runs in a loop, and counts interrupts. */
        RUNNING,
        /** It rings when a word has changed. */
        DOORBELL
    }

    private static final int COUNTER = 0xC000;
    private static final int WORD = 0xC040;
    private static final int ROOM = 0x1000;
    private static final int PORT = 0xE0;
    private static final int GSI = 24; // the first that is no pin of the IOAPIC
    private static final long LOCAL_APICS = 0xFEE0_0000L;
    private static final int VECTOR = 0x60;
    private static final long START_NANOS = 1000;
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final Way way;
    private final PlainGuest guest;
    private final MemorySegment words;
    private final EventFd line = new EventFd();
    private final EventFd bell = new EventFd();
    private final EpollReactor reactor = new EpollReactor("latencies");
    private final EpollReactor.Watch watch;
    private final Thread vcpu;
    private long given;
    private long heard; // when; before rings
    private final AtomicLong rings = new AtomicLong();
    private volatile long reactorThread;
    private volatile boolean closed;

    LatencyGuest(Way way) {
        this.way = way;
        guest = new PlainGuest(GuestProgram.read("latencies.bin"), way.ordinal());
        words = guest.ram().segment().asSlice(COUNTER, ROOM);
        guest.vm().interrupts().setRoutes(List.of(new GsiRoute.ToMsi(GSI, LOCAL_APICS, VECTOR)));
        guest.vm().interrupts().attach(line, GSI);
        guest.vm().doorbells().attach(bell, VmDoorbells.Place.port(PORT, 1));
        watch = reactor.watch(bell, true, false, this::rung);
        reactor.execute(() -> reactorThread = Thread.currentThread().threadId());
        vcpu = Thread.ofPlatform().daemon().name("latencies vcpu0").start(this::run);
        while (counter() == 0 || reactorThread == 0) {
            LockSupport.parkNanos(START_NANOS);
        }
    }

    /** By whoever measures, the vCPU's thread and the reactor's, in bytes. */
    long allocated() {
        return THREADS.getThreadAllocatedBytes(Thread.currentThread().threadId())
                + THREADS.getThreadAllocatedBytes(vcpu.threadId())
                + THREADS.getThreadAllocatedBytes(reactorThread);
    }

    /**
     * As many as there is room for, in ns, one after the other.
     *
     * @param gap ns between two
     */
    void measure(long[] into, long gap) {
        for (int i = 0; i < into.length; i++) {
            LockSupport.parkNanos(gap);
            into[i] = way == Way.DOORBELL ? doorbell(gap) : interrupt();
        }
    }

    private long interrupt() {
        long before = counter();
        long from = System.nanoTime();
        line.signal();
        while (counter() == before) {
            Thread.onSpinWait();
        }
        return System.nanoTime() - from;
    }

    private long doorbell(long gap) {
        long from = System.nanoTime();
        LONG.setRelease(words, (long) WORD - COUNTER, ++given);
        while (rings.get() != given) {
            LockSupport.parkNanos(gap);
        }
        return heard - from;
    }

    private void rung() {
        heard = System.nanoTime();
        rings.incrementAndGet();
    }

    private long counter() {
        return (long) LONG.getAcquire(words, 0L);
    }

    private void run() {
        Vcpu here = guest.vcpu();
        while (!closed) {
            Exit exit = here.run();
            if (!(exit instanceof Exit.Interrupted)) {
                new BenchmarkFailures().failed(0, here.dump().error(exit)); // nobody would see it
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        guest.vcpu().interrupt();
        try {
            vcpu.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        watch.close();
        reactor.close();
        guest.close();
        line.close();
        bell.close();
    }
}
