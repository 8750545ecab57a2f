package io.javisor.networking.user;

import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.FrameQueue;
import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/** The thread of a user-mode network: takes frames, sockets that are ready, times that have come, and tasks of others. */
final class NetworkLoop {
    private static final long NANOS_PER_MILLI = 1_000_000L;
    private static final int BURST = 256; // frames before sockets have their turn

    private final Selector selector;
    private final FrameQueue queue = new FrameQueue();
    private final AtomicBoolean woken = new AtomicBoolean();
    private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final Thread thread;
    private volatile boolean closed;

    // The rest belongs to the thread.
    private final Set<Timed> timed = new LinkedHashSet<>();
    private final Frame frame = new Frame();
    private final Consumer<Frame> received;
    private final Runnable atEnd;
    private long nextTimer = Long.MAX_VALUE;

    /**
     * A loop that has not begun.
     *
     * @param received takes each frame that could be parsed
     * @param atEnd what is to be closed when it ends
     */
    NetworkLoop(String name, Consumer<Frame> received, Runnable atEnd) {
        this.received = received;
        this.atEnd = atEnd;
        try {
            selector = Selector.open();
        } catch (IOException e) {
            throw new HypervisorException(
                    "user-network", "no selector: " + e.getMessage(), "raise the limit of open files");
        }
        thread = Thread.ofPlatform()
                .daemon()
                .name("javisor-user-network-" + name)
                .unstarted(this::loop);
    }

    void start() {
        thread.start();
    }

    // From other threads

    /** Takes a copy of a frame. */
    void put(Frame from) {
        if (!closed && queue.put(from, 0, 0)) {
            wake();
        }
    }

    /** Has something done by the thread; never, if it ends before. */
    void post(Runnable task) {
        tasks.add(task);
        wake();
    }

    private void wake() {
        // Pairs with the clear in turn(): what is put after the clear finds false, and wakes.
        if (woken.compareAndSet(false, true)) {
            selector.wakeup();
        }
    }

    /** Ends it, and waits for that; one that has not begun is closed here. Idempotent. */
    void close() {
        closed = true;
        if (thread.getState() == Thread.State.NEW) {
            end();
            return;
        }
        selector.wakeup();
        boolean interrupted = false;
        while (thread.isAlive() && !Thread.currentThread().equals(thread)) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    // The thread

    private void loop() {
        try {
            while (!closed) {
                turn();
            }
        } catch (IOException e) {
            System.getLogger("io.javisor.networking").log(System.Logger.Level.ERROR, "user-mode network ended", e);
        } finally {
            end();
        }
    }

    private void turn() throws IOException {
        long wait = nextTimer == Long.MAX_VALUE ? 0 : Math.max(1, (nextTimer - now()) / NANOS_PER_MILLI + 1);
        if (queue.isEmpty() && tasks.isEmpty()) {
            selector.select(NetworkLoop::ready, wait);
            work();
        } else {
            turnOnce();
        }
    }

    /** Does what there is to do, without waiting; for who has no thread begun. */
    void turnOnce() throws IOException {
        selector.selectNow(NetworkLoop::ready);
        work();
    }

    private void work() {
        woken.set(false);
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            guarded(task);
        }
        for (int i = 0; i < BURST && queue.next(); i++) {
            queue.take(frame);
            if (frame.parse()) {
                guarded(() -> received.accept(frame));
            }
        }
        if (now() - nextTimer >= 0) {
            runTimers();
        }
    }

    private static void ready(SelectionKey key) {
        guarded(((Flow) key.attachment())::ready);
    }

    /** One flow's failure must not end the others' thread. */
    private static void guarded(Runnable work) {
        try {
            work.run();
        } catch (CancelledKeyException e) {
            // closed meanwhile
        } catch (RuntimeException e) {
            System.getLogger("io.javisor.networking").log(System.Logger.Level.ERROR, "user-mode network", e);
        }
    }

    private void runTimers() {
        nextTimer = Long.MAX_VALUE;
        long time = now();
        for (Timed one : List.copyOf(timed)) {
            if (one.deadline() - time <= 0) {
                guarded(one::timedOut);
            } else {
                timerAt(one.deadline());
            }
        }
    }

    private void end() {
        if (selector.isOpen()) {
            for (SelectionKey key : selector.keys()) {
                ((Flow) key.attachment()).close();
            }
        }
        tasks.clear();
        atEnd.run();
        try {
            selector.close();
        } catch (IOException e) {
            // it is gone in any case
        }
    }

    /** Nanoseconds, on a clock that never comes near its end. */
    static long now() {
        return System.nanoTime() & Long.MAX_VALUE >> 1;
    }

    /** Looks at its deadline from now on. */
    void watch(Timed one) {
        timed.add(one);
        timerAt(one.deadline());
    }

    void forget(Timed one) {
        timed.remove(one);
    }

    /** A deadline has been set that may be the next. */
    void timerAt(long deadline) {
        nextTimer = Math.min(nextTimer, deadline);
    }

    /** Waits for a socket too, for nothing yet. */
    SelectionKey register(SelectableChannel channel, Flow flow) throws IOException {
        channel.configureBlocking(false);
        SelectionKey key = channel.register(selector, 0, flow);
        watch(flow);
        return key;
    }
}
