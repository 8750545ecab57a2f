package io.javisor.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BasicsTest {
    @Test
    void memoryFileIsMappedSharedAtAnAlignedAddress() {
        try (HostFile file = HostFile.memory("basics", PageSize.KIB_4);
                Mapping mapping = Mapping.reserve(4 << 20, 2 << 20);
                Arena arena = Arena.ofConfined()) {
            file.truncate(4 << 20);
            mapping.map(0, 4 << 20, file.descriptor(), 0, Mapping.Access.SHARED);
            assertThat(mapping.segment().address() % (2 << 20)).isZero();
            mapping.segment().set(ValueLayout.JAVA_LONG, 0x1000, 42);
            var eight = arena.allocate(8);
            assertThat(file.read(eight, 0x1000)).isEqualTo(8);
            assertThat(eight.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(42);
            assertThat(file.status().allocatedBytes()).isPositive();
            file.punchHole(0, 4 << 20);
            assertThat(file.status().allocatedBytes()).isZero();
            assertThat(mapping.segment().get(ValueLayout.JAVA_LONG, 0x1000)).isZero();
        }
    }

    @Test
    void errorsNameTheCallTheValuesAndTheErrno() {
        assertThatThrownBy(() -> HostFile.open(Path.of("/nonexistent/x"), HostFile.READ_ONLY))
                .isInstanceOf(LinuxException.class)
                .hasMessageContainingAll("openat", "/nonexistent/x", "ENOENT");
    }

    @Test
    void locksHoldAgainstOtherOpenings(@TempDir Path folder) {
        Path path = folder.resolve("locked");
        try (HostFile one = HostFile.open(path, HostFile.READ_WRITE | HostFile.CREATE)) {
            try (HostFile two = HostFile.open(path, HostFile.READ_ONLY)) {
                assertThat(one.tryLock(false)).isTrue();
                assertThat(two.tryLock(false)).isTrue();
                assertThat(one.tryLock(true)).isFalse();
            }
            assertThat(one.tryLock(true)).isTrue();
            try (HostFile three = HostFile.open(path, HostFile.READ_ONLY)) {
                assertThat(three.tryLock(false)).isFalse();
            }
        }
    }

    @Test
    void eventFdAddsUpUntilDrained() {
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
    void threadsHaveNumbersAndPendingSignals() throws Exception {
        Thread thread = Thread.ofPlatform().start(() -> {
            HostThread me = HostThread.current();
            int signal = HostThread.FIRST_REALTIME_SIGNAL + 3;
            HostThread.block(signal);
            assertThat(HostThread.takePending(signal)).isFalse();
            assertThat(me.signal(signal)).isTrue();
            assertThat(HostThread.takePending(signal)).isTrue();
            assertThat(HostThread.takePending(signal)).isFalse();
            assertThat(me.affinity().cardinality()).isPositive();
            me.setAffinity(me.affinity());
        });
        var failure = new Throwable[1];
        thread.setUncaughtExceptionHandler((t, e) -> failure[0] = e);
        thread.join();
        assertThat(failure[0]).isNull();
    }

    @Test
    void epollReportsTokens() {
        try (Epoll epoll = new Epoll(4);
                EventFd event = new EventFd();
                TimerFd timer = new TimerFd()) {
            epoll.add(event.descriptor(), Epoll.READABLE, 0x1234_5678_9ABC_DEF0L);
            epoll.add(timer.descriptor(), Epoll.READABLE, 7);
            assertThat(epoll.await(0)).isZero();
            event.signal();
            assertThat(epoll.await(1000)).isEqualTo(1);
            assertThat(epoll.token(0)).isEqualTo(0x1234_5678_9ABC_DEF0L);
            event.drain();
            timer.arm(1_000_000, 0);
            assertThat(epoll.await(1000)).isEqualTo(1);
            assertThat(epoll.token(0)).isEqualTo(7);
            assertThat(timer.drain()).isEqualTo(1);
        }
    }
}
