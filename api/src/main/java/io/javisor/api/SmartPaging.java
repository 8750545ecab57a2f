package io.javisor.api;

import io.javisor.kvm.partition.DiskOverlay;
import io.javisor.kvm.partition.MemfdBacking;
import io.javisor.memory.MachineMemory;
import io.javisor.memory.MemoryPool;
import io.javisor.partition.HypervisorException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Lets a machine boot again on a host that is short: a part of its memory is on disk at first. It comes back as the guest gives
 * other memory up, or others do; after a time it comes back as soon as the host has any memory at all. Safe from any thread.
 */
final class SmartPaging implements AutoCloseable {
    /** Memory that comes back while the guest stands still: some ten milliseconds. */
    private static final long STEP = 32L << 20;

    private static final long PAUSE_MILLIS = 500;

    /** After this it is better to use the host's reserve than to go on from disk. */
    private static final Duration LIMIT = Duration.ofMinutes(10);

    private final MachineMemory memory;
    private final MemoryPool pool;
    private final DiskOverlay overlay; // guarded by this
    private final long end = System.nanoTime() + LIMIT.toNanos();
    private boolean closed; // guarded by this

    /**
     * Puts the last part of a machine's first memory on disk, before the guest is loaded.
     *
     * @param bytes how much, a multiple of 2 MiB
     */
    SmartPaging(GuestRam ram, MachineMemory memory, MemoryPool pool, long bytes) {
        this.memory = memory;
        this.pool = pool;
        var first = ram.bootRegions().getFirst();
        long most = Math.min(bytes, first.length() / 2 & -(2L << 20));
        if (!(ram.backing(first.node()) instanceof MemfdBacking backing)) {
            throw new IllegalStateException("memory that is not a memory file of this machine's own");
        }
        overlay = DiskOverlay.over(backing, first.backingOffset() + first.length() - most, most, pool.pagingFolder());
        memory.paged(most);
    }

    /** Whether the machine's memory is of a kind that can be on disk in part: not that of a restored machine. */
    static boolean canPage(GuestRam ram) {
        return ram.backing(ram.bootRegions().getFirst().node()) instanceof MemfdBacking;
    }

    /**
     * Brings memory back until all is, or the run is over.
     *
     * @param still runs something while neither vCPUs nor devices touch the memory; nothing if the run is over
     */
    void start(String name, Consumer<Runnable> still) {
        Thread.ofVirtual().name(name + " smart paging").start(() -> {
            while (isGoing()) {
                try {
                    TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
                } catch (InterruptedException e) {
                    return;
                }
                if (pool.free() >= STEP || System.nanoTime() - end > 0) {
                    still.accept(this::step);
                }
            }
        });
    }

    private synchronized boolean isGoing() {
        return !closed;
    }

    private synchronized void step() {
        if (closed) {
            return;
        }
        try {
            overlay.moveBack(STEP);
        } catch (HypervisorException e) {
            memory.refused(e); // the host is short after all: later
        }
        memory.paged(overlay.left());
        if (overlay.left() == 0) {
            close();
        }
    }

    /** The run is over, or all memory is back: the disk's room is free again. Idempotent. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            overlay.close();
            memory.paged(0);
        }
    }
}
