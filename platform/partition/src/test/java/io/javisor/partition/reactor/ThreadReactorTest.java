package io.javisor.partition.reactor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ThreadReactorTest {
    @Test
    void tasksOfAThreadRunInOrderOnTheReactor() throws Exception {
        try (var reactor = new ThreadReactor("test")) {
            List<Integer> seen = Collections.synchronizedList(new ArrayList<>());
            AtomicInteger elsewhere = new AtomicInteger();
            CountDownLatch done = new CountDownLatch(1);
            for (int i = 0; i < 1_000; i++) {
                int n = i;
                reactor.execute(() -> {
                    seen.add(n);
                    if (!reactor.isCurrent()) {
                        elsewhere.incrementAndGet();
                    }
                });
            }
            reactor.execute(done::countDown);
            assertThat(done.await(10, TimeUnit.SECONDS)).isTrue();
            assertThat(seen).hasSize(1_000).isSorted();
            assertThat(elsewhere).hasValue(0);
            assertThat(reactor.isCurrent()).isFalse();
        }
    }

    @Test
    void timersComeInOrderOfTimeAndNotAfterCancel() throws Exception {
        try (var reactor = new ThreadReactor("test")) {
            List<String> seen = Collections.synchronizedList(new ArrayList<>());
            CountDownLatch done = new CountDownLatch(1);
            reactor.execute(() -> {
                reactor.schedule(40_000_000, done::countDown);
                reactor.schedule(20_000_000, () -> seen.add("second"));
                reactor.schedule(10_000_000, () -> seen.add("never")).cancel();
                reactor.schedule(10_000_000, () -> seen.add("first"));
            });
            assertThat(done.await(10, TimeUnit.SECONDS)).isTrue();
            assertThat(seen).containsExactly("first", "second");
        }
    }

    @Test
    void aTaskThatResubmitsItselfDoesNotStarveTimers() throws Exception {
        try (var reactor = new ThreadReactor("test")) {
            CountDownLatch done = new CountDownLatch(1);
            Runnable[] busy = new Runnable[1];
            busy[0] = () -> {
                if (done.getCount() > 0) {
                    reactor.execute(busy[0]);
                }
            };
            reactor.execute(busy[0]);
            reactor.schedule(5_000_000, done::countDown);
            assertThat(done.await(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void closeEndsTheThreadAndRefusesTasks() {
        var reactor = new ThreadReactor("test");
        reactor.close();
        reactor.close();
        assertThatThrownBy(() -> reactor.execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
        assertThatThrownBy(() -> reactor.schedule(1, () -> {})).isInstanceOf(RejectedExecutionException.class);
    }
}
