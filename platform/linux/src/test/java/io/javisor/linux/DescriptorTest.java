package io.javisor.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class DescriptorTest {
    @Test
    void useAfterCloseThrowsAndNamesIt() {
        EventFd event = new EventFd();
        event.close();
        event.close();
        assertThat(event.descriptor().isClosed()).isTrue();
        assertThatThrownBy(event::signal)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("eventfd is closed");
        assertThatThrownBy(() -> event.descriptor().ioctl("FIONREAD", 0x541B, 0))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void closeWaitsForTheLastUse() {
        EventFd event = new EventFd();
        Descriptor descriptor = event.descriptor();
        int fd = descriptor.acquire();
        assertThat(descriptor.acquire()).isEqualTo(fd);
        descriptor.close();
        assertThat(ProcessFiles.target(fd)).contains("eventfd");
        assertThatThrownBy(descriptor::acquire).isInstanceOf(IllegalStateException.class);
        descriptor.release();
        assertThat(ProcessFiles.target(fd)).contains("eventfd");
        descriptor.release();
        assertThat(ProcessFiles.target(fd)).isEmpty();
    }

    @Test
    void refusedIoctlNamesRequestAndErrno() {
        try (EventFd event = new EventFd()) {
            assertThatThrownBy(() -> event.descriptor().ioctl("KVM_GET_API_VERSION", 0xAE00, 0))
                    .isInstanceOfSatisfying(LinuxException.class, e -> {
                        assertThat(e.call()).isEqualTo("KVM_GET_API_VERSION");
                        assertThat(e.errno()).isEqualTo(Errno.ENOTTY);
                        assertThat(e.errnoName()).isEqualTo("ENOTTY");
                    })
                    .hasMessage("KVM_GET_API_VERSION(eventfd): ENOTTY");
            assertThat(event.descriptor().tryIoctl(CallState.current(), 0xAE00, 0))
                    .isEqualTo(-Errno.ENOTTY);
        }
    }

    /** Uses race closes while numbers are reused at once: a use that reached another file would add to its counter. */
    @Test
    void useNeverReachesTheNextOwnerOfTheNumber() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
            for (int round = 0; round < 300; round++) {
                EventFd victim = new EventFd();
                List<Future<Long>> users = new ArrayList<>();
                for (int i = 0; i < 2; i++) {
                    Callable<Long> use = () -> {
                        long signals = 0;
                        try {
                            for (; ; ) {
                                victim.signal();
                                signals++;
                            }
                        } catch (IllegalStateException closed) {
                            return signals;
                        }
                    };
                    users.add(threads.submit(use));
                }
                Thread.onSpinWait();
                victim.close();
                try (EventFd one = new EventFd();
                        EventFd two = new EventFd()) {
                    for (Future<Long> user : users) {
                        assertThat(user.get()).isNotNegative();
                    }
                    assertThat(one.drain()).isZero();
                    assertThat(two.drain()).isZero();
                }
            }
        }
    }

    @Test
    void negativeNumberIsNoDescriptor() {
        assertThatThrownBy(() -> Descriptor.adopt(-1, "x")).isInstanceOf(IllegalArgumentException.class);
    }
}
