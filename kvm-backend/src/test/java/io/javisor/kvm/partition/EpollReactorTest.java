package io.javisor.kvm.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.linux.EventFd;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Doorbells heard by a reactor. */
class EpollReactorTest {
    private static final int WATCHES = 300; // more than boxed numbers that the JDK keeps
    private static final int RINGS = 2000;

    @Test
    void tellsEachOfManyWatchesAndNoneThatIsClosed() throws Exception {
        try (var reactor = new EpollReactor("reactor")) {
            List<EventFd> events = new ArrayList<>();
            List<EpollReactor.Watch> watches = new ArrayList<>();
            List<AtomicInteger> told = new ArrayList<>();
            for (int i = 0; i < WATCHES; i++) {
                var count = new AtomicInteger();
                var event = new EventFd();
                events.add(event);
                told.add(count);
                watches.add(reactor.watch(event, true, false, count::incrementAndGet));
            }
            for (int i = 0; i < WATCHES; i += 2) {
                watches.get(i).close();
            }
            // Takes the place of one that is closed.
            var rung = new CountDownLatch(1);
            try (var event = new EventFd();
                    var _ = reactor.watch(event, true, false, rung::countDown)) {
                events.forEach(EventFd::signal);
                event.signal();
                assertThat(rung.await(1, TimeUnit.MINUTES)).isTrue();
                while (told.stream().mapToInt(AtomicInteger::get).sum() < WATCHES / 2) {
                    Thread.onSpinWait();
                }
            }
            watches.getFirst().close(); // again, after its place is another's
            for (int i = 0; i < WATCHES; i++) {
                assertThat(told.get(i)).hasValue(i % 2);
                watches.get(i).close();
                events.get(i).close();
            }
        }
    }

    @Test
    void hearingADoorbellAllocatesNothing() throws Exception {
        // By name, since the module under test has no need to read jdk.management.
        Method allocated = Class.forName("com.sun.management.ThreadMXBean").getMethod("getCurrentThreadAllocatedBytes");
        Object threads = Class.forName("java.lang.management.ManagementFactory")
                .getMethod("getThreadMXBean")
                .invoke(null);
        try (var reactor = new EpollReactor("reactor");
                var event = new EventFd()) {
            List<EpollReactor.Watch> others = new ArrayList<>();
            List<EventFd> quiet = new ArrayList<>();
            for (int i = 0; i < WATCHES; i++) {
                quiet.add(new EventFd());
                others.add(reactor.watch(quiet.get(i), true, false, () -> {}));
            }
            var left = new AtomicInteger();
            var bytes = new AtomicLong();
            var done = new AtomicLong();
            Runnable look = () -> {
                try {
                    bytes.set((long) allocated.invoke(threads) - bytes.get());
                } catch (ReflectiveOperationException e) {
                    throw new IllegalStateException(e);
                }
            };
            try (var _ = reactor.watch(event, true, false, () -> {
                if (left.get() == RINGS) {
                    look.run();
                }
                if (left.decrementAndGet() == 0) {
                    look.run();
                    done.incrementAndGet();
                } else {
                    event.signal();
                }
            })) {
                long least = Long.MAX_VALUE;
                // Compilation takes its time on a busy machine.
                long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
                for (long turn = 1; least >= RINGS && System.nanoTime() - deadline < 0; turn++) {
                    bytes.set(0);
                    left.set(RINGS);
                    event.signal();
                    while (done.get() < turn) {
                        Thread.sleep(1);
                    }
                    least = Math.min(least, bytes.get());
                }
                // Less than a byte a ring: the probe itself makes a few objects.
                assertThat(least).isLessThan(RINGS);
            }
            others.forEach(EpollReactor.Watch::close);
            quiet.forEach(EventFd::close);
        }
    }
}
