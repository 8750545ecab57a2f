package io.javisor.kvm.partition;

import io.javisor.linux.Epoll;
import io.javisor.linux.EventFd;
import io.javisor.linux.HostThread;
import io.javisor.linux.LinuxException;
import io.javisor.partition.reactor.AlarmQueue;
import io.javisor.partition.reactor.Reactor;
import java.util.BitSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A reactor that also waits for event descriptors: one thread in epoll_wait(2) for the doorbells of any number of machines.
 * After each wait every descriptor that rang is served once, so that a busy one can't starve another.
 */
public final class EpollReactor implements Reactor, AutoCloseable {
    private static final int RESULTS = 64;
    private static final long WAKE_TOKEN = 0;
    private static final long NANOS_PER_MILLI = 1_000_000;

    private final Epoll epoll;
    private final EventFd wake;
    private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean awake = new AtomicBoolean();
    private final AlarmQueue alarms = new AlarmQueue();
    private final IoThreadStall stall = new IoThreadStall(); // the thread's
    private final Consumer<Runnable> runner = this::run; // made once: a turn of the loop allocates nothing
    private final WatchTable watches = new WatchTable(); // guarded by itself
    private final BitSet cpus;
    private final Thread thread;
    private volatile boolean closed;

    /** Starts the thread, a daemon. */
    public EpollReactor(String name) {
        this(name, new BitSet());
    }

    /** Starts the thread, which runs on the given CPUs only; on any, if there are none. */
    public EpollReactor(String name, BitSet cpus) {
        this.cpus = (BitSet) cpus.clone();
        thread = Thread.ofPlatform().daemon().name(name).unstarted(this::loop);
        epoll = new Epoll(RESULTS);
        EventFd made = null;
        try {
            made = new EventFd();
            wake = made;
            epoll.add(made.descriptor(), Epoll.READABLE, WAKE_TOKEN);
            thread.start();
        } catch (RuntimeException | Error e) {
            epoll.close();
            if (made != null) {
                made.close();
            }
            throw e;
        }
    }

    @Override
    public void execute(Runnable task) {
        if (closed) {
            throw new RejectedExecutionException(thread.getName() + " is closed");
        }
        tasks.add(task);
        wakeUp();
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        AlarmQueue.Alarm alarm = alarms.make(delayNanos, task);
        execute(() -> alarms.add(alarm));
        return alarm;
    }

    @Override
    public boolean isCurrent() {
        return Thread.currentThread().equals(thread);
    }

    /**
     * Waits for an event descriptor to be signalled. Each time it is drained and {@code rung} runs on the reactor's thread;
     * signals in quick succession may be told as one. From any thread.
     *
     * @param armed false to begin silent, until {@link Watch#arm}
     * @param oneShot tell one signal only, until armed again
     */
    public Watch watch(EventFd event, boolean armed, boolean oneShot, Runnable rung) {
        synchronized (watches) {
            var watch = new Watch(event, oneShot, rung);
            watch.token = watches.add(watch);
            epoll.add(event.descriptor(), armed ? watch.interest() : Epoll.ONE_SHOT, watch.token);
            return watch;
        }
    }

    /** Stops after the task that is running; what waits is dropped. Waits for the thread to end unless called on it. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        wake.signal();
        if (!isCurrent()) {
            boolean interrupted = false;
            while (thread.isAlive()) {
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
    }

    private void wakeUp() {
        // Pairs with the clear in loop(): a task added after the clear finds awake == false and signals.
        if (awake.compareAndSet(false, true)) {
            wake.signal();
        }
    }

    private void loop() {
        try {
            stayOnCpus();
            while (!closed) {
                awake.set(false);
                runTasks();
                alarms.ring(runner);
                int count = epoll.await(tasks.isEmpty() ? timeoutMillis() : 0);
                for (int i = 0; i < count && !closed; i++) {
                    serve(epoll.token(i));
                }
            }
        } finally {
            synchronized (watches) {
                watches.clear();
                epoll.close();
            }
            wake.close();
        }
    }

    private void stayOnCpus() {
        if (!cpus.isEmpty()) {
            try {
                HostThread.current().setAffinity(cpus);
            } catch (LinuxException e) {
                // The CPUs have been taken from this process meanwhile: it works on others, if more slowly.
            }
        }
    }

    private int timeoutMillis() {
        long nanos = alarms.nanosToNext();
        return nanos == AlarmQueue.NONE
                ? -1
                : (int) Math.min(Integer.MAX_VALUE, (nanos + NANOS_PER_MILLI - 1) / NANOS_PER_MILLI);
    }

    /** Those that are there now; ones that they add wait for the descriptors to have had their turn. */
    private void runTasks() {
        int here = tasks.size();
        for (int i = 0; i < here && !closed; i++) {
            Runnable task = tasks.poll();
            if (task == null) {
                return;
            }
            run(task);
        }
    }

    private void serve(long token) {
        if (token == WAKE_TOKEN) {
            wake.drain();
            return;
        }
        @Nullable Watch watch;
        synchronized (watches) {
            watch = watches.get(token);
        }
        if (watch != null) {
            watch.event.drain();
            run(watch.rung);
        }
    }

    private void run(Runnable task) {
        if (closed) {
            return;
        }
        stall.begin();
        try {
            task.run();
        } catch (Throwable e) {
            // One task's failure must not end the others' thread.
            thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
        }
        stall.end();
        if (stall.shouldCommit()) {
            stall.task = IoThreadStall.nameOf(task);
            stall.commit();
        }
    }

    private void forget(Watch watch) {
        synchronized (watches) {
            if (watches.remove(watch.token) && !closed) {
                epoll.remove(watch.event.descriptor());
            }
        }
    }

    /** An event descriptor that is waited for. Close it before the descriptor. */
    public final class Watch implements AutoCloseable {
        private final EventFd event;
        private final boolean oneShot;
        private final Runnable rung;
        private long token; // guarded by watches

        private Watch(EventFd event, boolean oneShot, Runnable rung) {
            this.event = event;
            this.oneShot = oneShot;
            this.rung = rung;
        }

        private int interest() {
            return oneShot ? Epoll.READABLE | Epoll.ONE_SHOT : Epoll.READABLE;
        }

        /** Listens (again). From any thread; a signal that came before counts. */
        public void arm() {
            synchronized (watches) {
                if (watches.get(token) != null && !closed) {
                    epoll.modify(event.descriptor(), interest(), token);
                }
            }
        }

        /** Stops listening; a call that is under way may still end. Idempotent. */
        @Override
        public void close() {
            forget(this);
        }
    }
}
