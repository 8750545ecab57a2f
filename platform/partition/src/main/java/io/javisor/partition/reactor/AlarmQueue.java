package io.javisor.partition.reactor;

import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * The timers of one reactor, in the order of their time and then of their making. Made on any thread, kept on the reactor's
 * own; {@link Alarm#cancel} is safe from any.
 */
public final class AlarmQueue {
    /** What {@link #nanosToNext} gives when no timer waits. */
    public static final long NONE = Long.MAX_VALUE;

    private final long epoch = System.nanoTime();
    private final AtomicLong order = new AtomicLong();
    private final PriorityQueue<Alarm> alarms =
            new PriorityQueue<>(Comparator.<Alarm>comparingLong(a -> a.due).thenComparingLong(a -> a.order));

    /** Makes a timer that is due in so many nanoseconds (negative means now); any thread. It waits once it is {@link #add}ed. */
    public Alarm make(long delayNanos, Runnable task) {
        // Counted from the queue's own beginning, so that comparing two can't overflow.
        long due = System.nanoTime() - epoch + Math.clamp(delayNanos, 0, Long.MAX_VALUE / 4);
        return new Alarm(due, order.getAndIncrement(), task);
    }

    /** Takes a timer in; the reactor's thread only. */
    public void add(Alarm alarm) {
        alarms.add(alarm);
    }

    /** Hands over the tasks that are due, and says whether there was one; the reactor's thread only. */
    public boolean ring(Consumer<Runnable> runner) {
        boolean rang = false;
        for (Alarm next = alarms.peek(); next != null; next = alarms.peek()) {
            if (!next.cancelled && next.due > System.nanoTime() - epoch) {
                break;
            }
            alarms.remove();
            if (!next.cancelled) {
                runner.accept(next.task);
                rang = true;
            }
        }
        return rang;
    }

    /** Nanoseconds until the next timer is due, 0 if it is, {@link #NONE} if there is none; the reactor's thread only. */
    public long nanosToNext() {
        Alarm next = alarms.peek();
        return next == null ? NONE : Math.max(0, next.due - (System.nanoTime() - epoch));
    }

    /** Forgets all timers; the reactor's thread only. */
    public void clear() {
        alarms.clear();
    }

    /** One timer. */
    public static final class Alarm implements Reactor.Timer {
        private final long due;
        private final long order;
        private final Runnable task;
        private volatile boolean cancelled;

        private Alarm(long due, long order, Runnable task) {
            this.due = due;
            this.order = order;
            this.task = task;
        }

        @Override
        public void cancel() {
            cancelled = true;
        }
    }
}
