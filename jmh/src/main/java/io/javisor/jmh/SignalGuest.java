package io.javisor.jmh;

import io.javisor.kvm.partition.EpollReactor;
import io.javisor.kvm.partition.KvmPartition;
import io.javisor.kvm.partition.LongModeEntry;
import io.javisor.kvm.partition.MemfdBacking;
import io.javisor.kvm.partition.PartitionConfig;
import io.javisor.linux.PageSize;
import io.javisor.partition.GuestMemory;
import io.javisor.partition.MemoryRegion;
import io.javisor.partition.synic.Doorbell;
import io.javisor.partition.synic.SynIc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Semaphore;

/** A partition whose guest (src/main/guest/signals.S) answers the signals of a VMBus, and a reactor that hears its own. */
final class SignalGuest implements AutoCloseable {
    /** What the guest does, by the number that it takes in RSI. */
    enum Way {
        /** It answers each signal by one. */
        ROUND_TRIP,
        /** It counts signals. */
        TO_GUEST,
        /** It signals when a word has changed. */
        TO_HOST
    }

    private static final int MEMORY = 2 << 20;
    private static final int CODE = 0x1000;
    private static final int TABLES = 0x2000;
    private static final int COUNTER = 0xC000;
    private static final int WORD = 0xC040;
    private static final int PAGE = 0x1000;
    private static final int PRESENT_WRITABLE = 3;
    private static final int LARGE_PAGE = 0x80;
    private static final int CONNECTION = 1;
    private static final int SINT = 2;
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

    private final MemfdBacking memory = MemfdBacking.reserve("benchmark", MEMORY, PageSize.KIB_4);
    private final EpollReactor reactor = new EpollReactor("signals vcpu"); // counted with those that do the work
    private final KvmPartition partition;
    private final SynIc synic;
    private final Doorbell doorbell;
    private final MemorySegment words;
    private final Way way;
    private final Semaphore done = new Semaphore(0);
    private int left; // the reactor's
    private long given; // the reactor's

    SignalGuest(Way way) {
        this.way = way;
        var config = new PartitionConfig("benchmark", List.of(0), (vcpu, supported) -> supported.get(), true, Set.of());
        partition = KvmPartition.create(
                config, new BenchmarkFailures(), List.of(new MemoryRegion(0, MEMORY, 0, memory, 0)));
        GuestMemory guest = partition.memory();
        guest.write(CODE, GuestProgram.read("signals.bin"));
        guest.putLong(TABLES, TABLES + 0x1000 + PRESENT_WRITABLE);
        guest.putLong(TABLES + 0x1000, TABLES + 0x2000 + PRESENT_WRITABLE);
        guest.putLong(TABLES + 0x2000, LARGE_PAGE | PRESENT_WRITABLE);
        words = guest.slice(COUNTER, PAGE);
        synic = partition.synic().orElseThrow();
        doorbell = synic.openDoorbell(CONNECTION, reactor, this::rung);
        partition.setEntry(new LongModeEntry(CODE, way.ordinal(), 0, TABLES, 0, 0, 0x10, 0x18));
        partition.start();
        while (counter() == 0) {
            Thread.onSpinWait();
        }
    }

    /** So many signals one after another, each when the one before has come. */
    void batch(int signals) {
        if (way == Way.TO_GUEST) {
            for (int i = 0; i < signals; i++) {
                long before = counter();
                synic.setEventFlag(0, SINT, 0);
                while (counter() == before) {
                    Thread.onSpinWait();
                }
            }
            return;
        }
        reactor.execute(() -> {
            left = signals;
            send();
        });
        done.acquireUninterruptibly();
    }

    private long counter() {
        return (long) LONG.getAcquire(words, 0L);
    }

    private void send() {
        if (way == Way.ROUND_TRIP) {
            synic.setEventFlag(0, SINT, 0);
        } else {
            LONG.setRelease(words, (long) WORD - COUNTER, ++given);
        }
    }

    private void rung() {
        if (left == 0) {
            return; // told without reason
        }
        if (--left == 0) {
            done.release();
        } else {
            send();
        }
    }

    @Override
    public void close() {
        doorbell.close();
        partition.close();
        reactor.close();
        memory.close();
    }
}
