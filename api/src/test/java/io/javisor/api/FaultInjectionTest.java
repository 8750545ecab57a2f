package io.javisor.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.javisor.partition.HypervisorException;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** System calls fail under machines that come and go in another JVM: each failure is a typed error, and nothing leaks. */
@Timeout(300)
class FaultInjectionTest {
    @TempDir
    private Path folder;

    private static final List<Strace.Fault> FAULTS = List.of(
            new Strace.Fault("ioctl", "EINTR", "1+3"),
            new Strace.Fault("ioctl", "EAGAIN", "5+17"),
            new Strace.Fault("ioctl", "ENOMEM", "3+23"),
            new Strace.Fault("memfd_create,ftruncate", "ENOMEM", "2+3"),
            new Strace.Fault("memfd_create,eventfd2,epoll_create1,timer_create", "EMFILE", "1+3"),
            new Strace.Fault("openat", "EMFILE", "1+3", List.of("/dev/kvm")));

    @BeforeEach
    void needs() {
        TinyKernel.assumeKvm();
        assumeTrue(Strace.isThere(), "needs strace: apt-get install strace");
    }

    @Test
    void failuresAreTypedAndNothingLeaks() throws Exception {
        SpinKernel.writeTo(folder);
        Process child = FreshJvm.start(Lives.class, folder.toString());
        try (BufferedReader said =
                        new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8));
                Writer tell = child.outputWriter(StandardCharsets.UTF_8)) {
            assertThat(said.readLine()).isEqualTo("ready");
            for (Strace.Fault fault : FAULTS) {
                String lives;
                try (var _ = Strace.attach(child.pid(), fault)) {
                    tell.write("go\n");
                    tell.flush();
                    lives = said.readLine();
                }
                System.out.println(fault + ": " + lives);
                assertThat(lives).as(fault.toString()).startsWith("lives {").doesNotContain("untyped", "internal");
                // An interrupted call is made again; all others tell their callers.
                if (fault.errno().equals("EINTR")) {
                    assertThat(lives).isEqualTo("lives {well=" + Lives.COUNT + "}");
                } else {
                    assertThat(lives).as(fault.toString()).isNotEqualTo("lives {well=" + Lives.COUNT + "}");
                }
                tell.write("check\n");
                tell.flush();
                assertThat(said.readLine()).as("afterwards, " + fault).isEqualTo("clean");
            }
            tell.write("end\n");
            tell.flush();
            assertThat(child.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(child.exitValue()).isZero();
        } finally {
            child.destroyForcibly();
        }
    }

    /** The other JVM's program: lives machines when told to, and says what became of them. */
    static final class Lives {
        private static final int COUNT = 12;
        private static final Duration PATIENCE = Duration.ofSeconds(20);

        public static void main(String[] arguments) throws Exception {
            Path kernels = Path.of(arguments[0]);
            live(kernels);
            live(kernels);
            Holdings before = Holdings.atRest();
            System.out.println("ready");
            var in = FreshJvm.orders();
            for (String order; (order = in.readLine()) != null; ) {
                switch (order) {
                    case "go" -> {
                        var ends = new TreeMap<String, Integer>();
                        for (int i = 0; i < COUNT; i++) {
                            ends.merge(live(kernels), 1, Integer::sum);
                        }
                        System.out.println("lives " + ends);
                    }
                    case "check" -> {
                        Holdings now = Holdings.settled(before);
                        String end = live(kernels);
                        System.out.println(
                                now.equals(before) && end.equals("well")
                                        ? "clean"
                                        : before + " then " + now + " " + end);
                    }
                    default -> {
                        return;
                    }
                }
            }
        }

        private static String live(Path kernels) {
            try (VirtualMachine vm = SpinKernel.machine(kernels).build()) {
                vm.start().await(Wait.forConsole("."), PATIENCE);
                vm.pause();
                vm.resume();
                vm.kill();
                return vm.outcome().orElseThrow() instanceof Outcome.Failed f
                        ? f.error().code()
                        : "well";
            } catch (HypervisorException e) {
                return e.code();
            } catch (Throwable t) {
                t.printStackTrace();
                return "untyped " + t;
            }
        }
    }
}
