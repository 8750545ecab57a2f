package io.javisor.storage.file;

import io.javisor.linux.EventFd;
import io.javisor.linux.HostFile;
import io.javisor.linux.IoUring;
import io.javisor.linux.IoVector;
import io.javisor.linux.LinuxException;
import io.javisor.storage.disk.IoEngine;
import io.javisor.storage.disk.IoMemory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * An engine on io_uring: one thread gives the kernel what any thread wants done, and tells of what has ended.
 *
 * <pre>
 * begin ─▶ queue ─▶ thread: prepare, submit, wait ─▶ kernel
 *            └ wakes it, if it waits ┘    └──── completions ─▶ ended
 * </pre>
 *
 * <p>The thread both submits and waits, because the kernel ends a transfer in the context of the thread that submitted it: were that
 * a reactor, each would interrupt it. Ring and thread are made for the first request. Places are few; whoever finds
 * none goes another way.
 */
public final class RingEngine implements IoEngine {
    /** Requests at a time. */
    static final int PLACES = 128;

    private static final System.Logger LOG = System.getLogger("io.javisor.storage");
    private static final long WAKE = -1; // a token; the others are places
    // A kernel without memory, or one that no longer lets this process in: it is asked again so often.
    private static final long RETRY_NANOS = 1_000_000;

    /**
     * A request.
     *
     * @param aside whether it copies much, so that the kernel shall use a thread from the start
     */
    private record Request(
            HostFile file, IoMemory memory, long position, boolean writing, boolean aside, Completion completion) {}

    private record Running(Thread thread, EventFd wake) {}

    private final String name;
    // What follows is guarded by this object's monitor.
    private final Queue<Request> queue = new ArrayDeque<>();
    private @Nullable Running running;
    private int inFlight;
    private boolean waiting;
    private boolean refused;
    private boolean closed;

    /**
     * An engine without a ring yet.
     *
     * @param name of its thread
     */
    public RingEngine(String name) {
        this.name = name;
    }

    /** Why this host has no such engine; null if it has. */
    public static @Nullable String refusal() {
        try (var _ = new IoUring(1)) {
            return null;
        } catch (LinuxException e) {
            return e.getMessage();
        }
    }

    /**
     * Begins a transfer. The memory must stay until it has ended.
     *
     * @param memory native, as the file wants it aligned, in at most {@link IoVector#MAX_PIECES} pieces
     * @return false if there is no place for it, or no ring: nothing has happened
     */
    boolean begin(
            HostFile file, IoMemory memory, long position, boolean writing, boolean aside, Completion completion) {
        synchronized (this) {
            if (closed || refused || inFlight == PLACES) {
                return false;
            }
            Running with = running != null ? running : start();
            if (with == null) {
                refused = true;
                return false;
            }
            inFlight++;
            queue.add(new Request(file, memory, position, writing, aside, completion));
            if (waiting) { // else the thread looks into the queue before it waits
                waiting = false;
                with.wake.signal();
            }
            return true;
        }
    }

    private @Nullable Running start() {
        IoUring ring = null;
        EventFd wake = null;
        try {
            ring = new IoUring(PLACES + 1); // and one for the wait to be woken
            wake = new EventFd();
            var started = new Running(thread(ring, wake), wake);
            started.thread.start();
            running = started;
            return started;
        } catch (LinuxException | OutOfMemoryError e) {
            LOG.log(System.Logger.Level.DEBUG, "no io_uring: threads wait for disks instead", e);
            if (wake != null) {
                wake.close();
            }
            if (ring != null) {
                ring.close();
            }
            return null;
        }
    }

    private Thread thread(IoUring ring, EventFd wake) {
        return Thread.ofPlatform().daemon().name(name).unstarted(() -> run(ring, wake));
    }

    private void run(IoUring ring, EventFd wake) {
        @Nullable Request[] requests = new Request[PLACES];
        var free = new ArrayDeque<Integer>(PLACES);
        for (int i = 0; i < PLACES; i++) {
            free.add(i);
        }
        var vector = new IoVector(IoVector.MAX_PIECES);
        List<Request> taken = new ArrayList<>(PLACES);
        boolean armed = false;
        while (take(taken)) {
            if (!armed) {
                armed = ring.prepareAwait(wake, WAKE); // there is room for it and all places
            }
            for (Request request : taken) {
                int place = free.remove();
                requests[place] = request;
                if (!prepare(ring, vector, request, place)) {
                    requests[place] = null;
                    free.add(place);
                    tell(request, -1);
                }
            }
            taken.clear();
            submit(ring, true);
            while (ring.next()) {
                if (ring.token() == WAKE) {
                    wake.drain();
                    armed = false;
                    continue;
                }
                int place = (int) ring.token();
                Request ended = Objects.requireNonNull(requests[place]);
                requests[place] = null;
                free.add(place);
                long bytes = ended.memory.byteSize();
                tell(ended, ring.result() == bytes ? bytes : -1);
            }
        }
        ring.close();
    }

    /** Takes what is queued; false if this is the end. */
    private synchronized boolean take(List<Request> into) {
        into.addAll(queue);
        queue.clear();
        waiting = true; // from now on whoever adds to the queue signals
        return !closed || inFlight > 0;
    }

    private static boolean prepare(IoUring ring, IoVector vector, Request request, int place) {
        try {
            for (int i = 0; i < request.memory.count(); i++) {
                vector.add(request.memory.piece(i));
            }
            while (!(request.writing
                    ? ring.prepareWrite(request.file, vector, request.position, place, request.aside)
                    : ring.prepareRead(request.file, vector, request.position, place, request.aside))) {
                submit(ring, false);
            }
            return true;
        } catch (IllegalStateException e) {
            return false; // the file is closed
        } finally {
            vector.clear();
        }
    }

    private static void submit(IoUring ring, boolean await) {
        try {
            ring.submit(await);
        } catch (LinuxException e) {
            LOG.log(System.Logger.Level.DEBUG, "io_uring", e);
            LockSupport.parkNanos(RETRY_NANOS);
        }
    }

    private void tell(Request ended, long moved) {
        try {
            ended.completion.ended(moved);
        } catch (Throwable e) {
            LOG.log(System.Logger.Level.ERROR, "the end of a disk's request", e);
        }
        synchronized (this) {
            inFlight--;
        }
    }

    @Override
    public void close() {
        Running last;
        synchronized (this) {
            last = running;
            if (!closed && last != null) {
                last.wake.signal();
            }
            closed = true;
        }
        if (last == null) {
            return;
        }
        boolean interrupted = false;
        while (last.thread.isAlive()) {
            try {
                last.thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        last.wake.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
