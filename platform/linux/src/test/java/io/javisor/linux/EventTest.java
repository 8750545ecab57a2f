package io.javisor.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class EventTest {
    @Test
    void signalsAddUpUntilDrained() {
        try (EventFd event = new EventFd()) {
            assertThat(event.drain()).isZero();
            event.signal();
            event.signal();
            assertThat(event.await(Duration.ZERO)).isTrue();
            assertThat(event.drain()).isEqualTo(2);
            assertThat(event.await(Duration.ofMillis(5))).isFalse();
        }
    }

    @Test
    void waiterIsWoken() throws Exception {
        try (EventFd event = new EventFd()) {
            Thread signaller = Thread.ofPlatform().start(() -> {
                try {
                    Thread.sleep(30);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                event.signal();
            });
            assertThat(event.await(Duration.ofSeconds(10))).isTrue();
            signaller.join();
        }
    }

    @Test
    void signallingAndDrainingAllocateNothing() throws Exception {
        try (EventFd event = new EventFd()) {
            assertThat(Allocations.ofRound(5_000, () -> {
                        event.signal();
                        event.drain();
                    }))
                    .isLessThan(5_000);
        }
    }

    @Test
    void timerExpiresOnceOrAgainAndAgain() {
        try (TimerFd timer = new TimerFd()) {
            assertThat(timer.drain()).isZero();
            timer.arm(1_000_000, 0);
            assertThat(timer.await(Duration.ofSeconds(10))).isTrue();
            assertThat(timer.drain()).isEqualTo(1);
            assertThat(timer.await(Duration.ofMillis(10))).isFalse();
            timer.arm(1_000_000, 1_000_000);
            long expiries = 0;
            while (expiries < 3) {
                assertThat(timer.await(Duration.ofSeconds(10))).isTrue();
                expiries += timer.drain();
            }
            timer.disarm();
            timer.drain();
            assertThat(timer.await(Duration.ofMillis(10))).isFalse();
            assertThatThrownBy(() -> timer.arm(0, 0)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> timer.arm(1, -1)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void timerAndNanoTimeReadOneClock() {
        try (TimerFd timer = new TimerFd()) {
            long due = System.nanoTime() + 20_000_000;
            timer.armAt(due);
            assertThat(timer.await(Duration.ofSeconds(10))).isTrue();
            assertThat(System.nanoTime() - due).isNotNegative();
            timer.armAt(System.nanoTime() - 1_000_000_000);
            assertThat(timer.await(Duration.ofSeconds(1))).isTrue();
        }
    }

    @Test
    void epollReportsTokensAndForgetsWhatIsRemoved() {
        try (Epoll epoll = new Epoll(4);
                EventFd one = new EventFd();
                EventFd two = new EventFd()) {
            epoll.add(one.descriptor(), Epoll.READABLE, 0x1234_5678_9ABC_DEF0L);
            epoll.add(two.descriptor(), Epoll.READABLE, -2);
            assertThat(epoll.await(0)).isZero();
            one.signal();
            two.signal();
            int n = epoll.await(1_000);
            Set<Long> tokens = new HashSet<>();
            for (int i = 0; i < n; i++) {
                tokens.add(epoll.token(i));
                assertThat(epoll.events(i) & Epoll.READABLE).isNotZero();
            }
            assertThat(tokens).containsExactlyInAnyOrder(0x1234_5678_9ABC_DEF0L, -2L);
            one.drain();
            epoll.modify(two.descriptor(), 0, -2);
            assertThat(epoll.await(0)).isZero();
            epoll.modify(two.descriptor(), Epoll.READABLE | Epoll.EDGE, -3);
            assertThat(epoll.await(1_000)).isEqualTo(1);
            assertThat(epoll.token(0)).isEqualTo(-3);
            assertThat(epoll.await(0)).isZero();
            epoll.remove(two.descriptor());
            assertThatThrownBy(() -> epoll.remove(two.descriptor()))
                    .isInstanceOfSatisfying(
                            LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT))
                    .hasMessageContainingAll("epoll_ctl", "eventfd", "ENOENT");
        }
        assertThatThrownBy(() -> new Epoll(0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void waitingAllocatesNothing() throws Exception {
        try (Epoll epoll = new Epoll(4);
                EventFd event = new EventFd()) {
            epoll.add(event.descriptor(), Epoll.READABLE, 1);
            event.signal();
            long[] sum = new long[1];
            assertThat(Allocations.ofRound(5_000, () -> {
                        int n = epoll.await(0);
                        sum[0] += n + epoll.token(0) + epoll.events(0);
                    }))
                    .isLessThan(5_000);
            assertThat(sum[0]).isPositive();
        }
    }
}
