package io.javisor.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.BitSet;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ThreadTest {
    private static final int SIGNAL = HostThread.FIRST_REALTIME_SIGNAL + 5;

    /** In a thread of its own, since a blocked signal stays blocked. */
    private static <T> T inThread(Callable<T> action) throws Exception {
        FutureTask<T> task = new FutureTask<>(action);
        Thread.ofPlatform().start(task);
        return task.get(20, TimeUnit.SECONDS);
    }

    @Test
    void blockedSignalStaysPendingUntilTaken() throws Exception {
        boolean done = inThread(() -> {
            HostThread me = HostThread.current();
            assertThat(me.process()).isEqualTo((int) ProcessHandle.current().pid());
            HostThread.block(SIGNAL);
            assertThat(HostThread.blocked() & 1L << (SIGNAL - 1)).isNotZero();
            assertThat(HostThread.takePending(SIGNAL)).isFalse();
            assertThat(me.signal(SIGNAL)).isTrue();
            assertThat(me.signal(SIGNAL)).isTrue();
            // Real-time signals queue.
            assertThat(HostThread.takePending(SIGNAL)).isTrue();
            assertThat(HostThread.takePending(SIGNAL)).isTrue();
            assertThat(HostThread.takePending(SIGNAL)).isFalse();
            return true;
        });
        assertThat(done).isTrue();
    }

    @Test
    void threadThatIsGoneIsNotThere() throws Exception {
        HostThread gone = inThread(HostThread::current);
        // Signal 0 checks and sends nothing: safe even if the number has been given to another thread.
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (gone.signal(0) && System.nanoTime() - deadline < 0) {
            Thread.sleep(5);
        }
        assertThat(gone.signal(0)).isFalse();
    }

    @Test
    void virtualThreadHasNoKernelThread() throws Exception {
        FutureTask<HostThread> task = new FutureTask<>(HostThread::current);
        Thread.ofVirtual().start(task);
        assertThatThrownBy(() -> task.get(20, TimeUnit.SECONDS)).hasCauseInstanceOf(IllegalStateException.class);
    }

    @Test
    void affinityIsReadAndSet() throws Exception {
        BitSet[] masks = inThread(() -> {
            HostThread me = HostThread.current();
            BitSet all = me.affinity();
            BitSet one = new BitSet();
            one.set(all.nextSetBit(0));
            me.setAffinity(one);
            return new BitSet[] {all, one, me.affinity()};
        });
        assertThat(masks[0].isEmpty()).isFalse();
        assertThat(masks[2]).isEqualTo(masks[1]);
        assertThatThrownBy(() -> HostThread.current().setAffinity(new BitSet()))
                .isInstanceOfSatisfying(
                        LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL))
                .hasMessageContaining("sched_setaffinity");
        BitSet far = new BitSet();
        far.set(8192);
        assertThatThrownBy(() -> HostThread.current().setAffinity(far)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void processorTimeIsThatOfThreadsThatRan() throws Exception {
        long own = ProcessorTime.ofThread();
        long all = ProcessorTime.ofProcess();
        // A thread that ends counts for the process, and not for this thread.
        long[] other = new long[1];
        Thread thread = Thread.ofPlatform().start(() -> {
            long end = ProcessorTime.ofThread() + 20_000_000;
            while (ProcessorTime.ofThread() < end) {
                Thread.onSpinWait();
            }
            other[0] = ProcessorTime.ofThread();
        });
        thread.join();
        assertThat(other[0]).isGreaterThanOrEqualTo(20_000_000);
        assertThat(ProcessorTime.ofProcess() - all).isGreaterThanOrEqualTo(20_000_000);
        assertThat(ProcessorTime.ofThread()).isGreaterThanOrEqualTo(own);
    }

    @Test
    void timerSignalsItsOwnThread() throws Exception {
        boolean done = inThread(() -> {
            HostThread.block(SIGNAL);
            ThreadTimer timer = new ThreadTimer(SIGNAL);
            try {
                timer.arm(5_000_000);
                long deadline = System.nanoTime() + 10_000_000_000L;
                while (!HostThread.takePending(SIGNAL)) {
                    assertThat(System.nanoTime() - deadline).isNegative();
                    Thread.sleep(1);
                }
                timer.arm(5_000_000);
                timer.arm(0);
                Thread.sleep(20);
                assertThat(HostThread.takePending(SIGNAL)).isFalse();
            } finally {
                timer.close();
            }
            timer.close();
            assertThatThrownBy(() -> timer.arm(1)).isInstanceOf(IllegalStateException.class);
            return true;
        });
        assertThat(done).isTrue();
    }
}
