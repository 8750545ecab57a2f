package io.javisor.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Machines are made, run, paused, interrupted and closed at random while system calls fail under them; at the end the process holds
 * what it held before. The long form is told how long by {@code -Djavisor.soak.minutes}, and both the seed by {@code
 * -Djavisor.soak.seed}.
 */
class SoakTest {
    private static final String THREADS = "clone3";

    /** Of which one at a time is injected, for every n-th call of each thread, n being random. */
    private static final List<Strace.Fault> FAULTS = List.of(
            new Strace.Fault("ioctl", "EINTR", ""),
            new Strace.Fault("ioctl", "EAGAIN", ""),
            new Strace.Fault("ioctl", "ENOMEM", ""),
            new Strace.Fault("memfd_create,ftruncate,fallocate", "ENOMEM", ""),
            new Strace.Fault("memfd_create,eventfd2,epoll_create1,timer_create", "EMFILE", ""),
            new Strace.Fault("fallocate,fstat", "EINTR", ""),
            new Strace.Fault("openat", "EMFILE", "", List.of("/dev/kvm")),
            new Strace.Fault(
                    "mmap", "ENOMEM", "", List.of("anon_inode:kvm-vcpu:0", "/memfd:javisor-echo-node0 (deleted)")),
            new Strace.Fault(THREADS, "EAGAIN", ""));

    @TempDir
    private Path folder;

    @BeforeEach
    void needs() {
        TinyKernel.assumeKvm();
        EchoKernel.writeTo(folder);
    }

    @Test
    @Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // a read is not interrupted
    void aQuarterOfAMinute() throws Exception {
        soak(24, Duration.ofSeconds(8), Duration.ofSeconds(1));
    }

    @Test
    @Tag("long")
    @Timeout(value = 3, unit = TimeUnit.HOURS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void halfAnHour() throws Exception {
        soak(200, Duration.ofMinutes(Integer.getInteger("javisor.soak.minutes", 30)), Duration.ofSeconds(20));
    }

    /** Round by round, each with another fault, and every eighth without one. */
    private void soak(int machines, Duration time, Duration round) throws Exception {
        long seed = Long.getLong("javisor.soak.seed", System.nanoTime());
        boolean faults = Strace.isThere();
        System.out.println("soak: -Djavisor.soak.seed=" + seed
                + (faults ? "" : "; no call is made to fail: there is no strace (apt-get install strace)"));
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        Process child = FreshJvm.start(Soak.class, folder.toString(), String.valueOf(machines), String.valueOf(seed));
        try (BufferedReader said = child.inputReader(StandardCharsets.UTF_8);
                Writer tell = child.outputWriter(StandardCharsets.UTF_8)) {
            assertThat(answer(said)).isEqualTo("ready");
            long end = System.nanoTime() + time.toNanos();
            for (int i = 0; System.nanoTime() < end; i++) {
                Strace.Fault fault = faults && i % 8 < 7 ? drawn(random) : null;
                String did;
                try (var _ = fault == null ? null : Strace.attach(child.pid(), fault)) {
                    tell(tell, "go " + round.toNanos());
                    did = answer(said);
                }
                System.out.println((fault == null ? "no fault" : fault) + ": " + did);
                assertThat(did)
                        .as("seed %s, %s", seed, fault)
                        .startsWith("did {")
                        .doesNotContain("untyped", "internal");
                // Now and then from nothing, else on with the machines that are there.
                if (i % 4 == 3) {
                    check(tell, said, seed);
                }
            }
            check(tell, said, seed);
            tell(tell, "end");
            assertThat(child.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(child.exitValue()).isZero();
        } finally {
            child.destroyForcibly();
        }
    }

    private static Strace.Fault drawn(RandomGenerator random) {
        Strace.Fault kind = FAULTS.get(random.nextInt(FAULTS.size()));
        int first = 1 + random.nextInt(20);
        int step = kind.calls().equals("ioctl") ? 5 + random.nextInt(60) : 2 + random.nextInt(6);
        // The JVM tries again to make a thread, so that all must fail.
        String when = kind.calls().equals(THREADS) ? "1+1" : first + "+" + step;
        return new Strace.Fault(kind.calls(), kind.errno(), when, kind.paths());
    }

    private static void check(Writer tell, BufferedReader said, long seed) throws IOException {
        tell(tell, "check");
        String how = answer(said);
        System.out.println(how);
        assertThat(how).as("seed %s", seed).startsWith("clean");
    }

    private static void tell(Writer to, String order) throws IOException {
        to.write(order + "\n");
        to.flush();
    }

    /** The next line that is one; what comes before it is shown: the JVM's warnings, stacks of errors. */
    private static String answer(BufferedReader said) throws IOException {
        var before = new ArrayList<String>();
        for (String line; (line = said.readLine()) != null; ) {
            if (line.equals("ready")
                    || line.startsWith("did ")
                    || line.startsWith("clean")
                    || line.startsWith("Holdings[")) {
                return line;
            }
            before.add(line);
            System.out.println(line);
        }
        throw new AssertionError("the other JVM has ended: " + String.join("\n", before));
    }
}
