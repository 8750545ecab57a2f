package io.javisor.lab.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.javisor.lab.LabCommand;
import io.javisor.lab.LabSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.reporting.ReportEntry;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** The engine with real agents, in JVMs on this machine instead of the lab. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class LabTestEngineTest {
    @TempDir
    private Path output;

    private final Map<String, String> outcomes = new LinkedHashMap<>();
    private final Map<String, Throwable> thrown = new LinkedHashMap<>();
    private final List<String> reports = new ArrayList<>();

    /** Runs classes as a build would, and collects what it would be told: "class.name" to outcome. */
    private void run(Function<LabSpec, AgentHost> starter, boolean required, Class<?>... classes) {
        LauncherConfig config = LauncherConfig.builder()
                .enableTestEngineAutoRegistration(false)
                .addTestEngines(new LabTestEngine(starter))
                .build();
        TestExecutionListener listener = new TestExecutionListener() {
            @Override
            public void executionSkipped(TestIdentifier test, String reason) {
                outcomes.put(name(test), "skipped: " + reason);
            }

            @Override
            public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                if (test.isTest() || result.getStatus() != TestExecutionResult.Status.SUCCESSFUL) {
                    outcomes.put(name(test), result.getStatus().name());
                    result.getThrowable().ifPresent(t -> thrown.put(name(test), t));
                }
            }

            @Override
            public void reportingEntryPublished(TestIdentifier test, ReportEntry entry) {
                reports.add(name(test) + " " + entry.getKeyValuePairs());
            }
        };
        try (LauncherSession session = LauncherFactory.openSession(config)) {
            session.getLauncher()
                    .execute(
                            LauncherDiscoveryRequestBuilder.request()
                                    .selectors(Stream.of(classes)
                                            .map(DiscoverySelectors::selectClass)
                                            .toList())
                                    .configurationParameter(LabTestEngine.OUTPUT, output.toString())
                                    .configurationParameter(LabTestEngine.REQUIRED, String.valueOf(required))
                                    .build(),
                            listener);
        }
    }

    private static String name(TestIdentifier test) {
        return test.getUniqueIdObject().getSegments().stream()
                .skip(1)
                .map(s -> s.getValue().replaceFirst(".*\\$", "").replaceFirst("\\(.*", ""))
                .reduce((a, b) -> a + "." + b)
                .orElse("engine");
    }

    /** An agent's JVM on this machine; it "ends" like a lab when asked for a console. */
    private static class Here implements AgentHost {
        private int started;

        @Override
        public Process start(LabCommand command) throws IOException {
            started++;
            return new ProcessBuilder(command.words()).start();
        }

        @Override
        public boolean isAlive() {
            return true;
        }

        @Override
        public String consoleTail() {
            return "the console's end";
        }

        @Override
        public void close() {}
    }

    @LabTest
    static class Ordinary {
        @BeforeAll
        static void isInside() {
            assertThat(Boolean.getBoolean(Agent.INSIDE)).isTrue();
        }

        @Test
        void passes(TestReporter reporter) {
            reporter.publishEntry("pid", "known");
        }

        @Test
        void fails() {
            assertThat("this").as("what a failing test says").isEqualTo("that");
        }

        @Test
        void throwsWithCause() {
            throw new IllegalStateException("outer", new IOException("inner"));
        }

        @Test
        void assumes() {
            assumeTrue(false, "nothing to test here");
        }

        @Test
        @Disabled("for a reason")
        void isDisabled() {}

        @ParameterizedTest
        @ValueSource(ints = {1, 2, 3})
        void takesParameters(int number) {
            assertThat(number).isNotEqualTo(2);
        }

        @TestFactory
        Stream<DynamicTest> makesTests() {
            return Stream.of("a", "b")
                    .map(n -> DynamicTest.dynamicTest(n, () -> assertThat(n).isEqualTo("a")));
        }

        @Nested
        class Within {
            @Test
            void passes() {}
        }
    }

    @Test
    void reportsWhatHappensThere() {
        Here here = new Here();
        run(spec -> here, true, Ordinary.class);
        assertThat(outcomes)
                .containsEntry("Ordinary.passes", "SUCCESSFUL")
                .containsEntry("Ordinary.fails", "FAILED")
                .containsEntry("Ordinary.throwsWithCause", "FAILED")
                .containsEntry("Ordinary.assumes", "ABORTED")
                .containsEntry("Ordinary.isDisabled", "skipped: for a reason")
                .containsEntry("Ordinary.takesParameters.#1", "SUCCESSFUL")
                .containsEntry("Ordinary.takesParameters.#2", "FAILED")
                .containsEntry("Ordinary.takesParameters.#3", "SUCCESSFUL")
                .containsEntry("Ordinary.makesTests.#1", "SUCCESSFUL")
                .containsEntry("Ordinary.makesTests.#2", "FAILED")
                .containsEntry("Ordinary.Within.passes", "SUCCESSFUL")
                .hasSize(11);
        assertThat(reports).containsExactly("Ordinary.passes {pid=known}");
        Throwable failure = Objects.requireNonNull(thrown.get("Ordinary.fails"));
        assertThat(failure.toString())
                .startsWith("org.opentest4j.AssertionFailedError: [what a failing test says]")
                .contains("\"that\"");
        assertThat(failure.getStackTrace()[0].getMethodName()).isEqualTo("fails");
        assertThat(thrown.get("Ordinary.throwsWithCause"))
                .hasToString("java.lang.IllegalStateException: outer")
                .cause()
                .hasToString("java.io.IOException: inner");
        assertThat(thrown.get("Ordinary.assumes")).hasMessageContaining("nothing to test here");
        assertThat(here.started).isEqualTo(1);
    }

    @LabTest
    static class BadStart {
        @BeforeAll
        static void start() {
            assertThat("this start").isEqualTo("another");
        }

        @Test
        void neverRuns() {}
    }

    @Test
    void failsAClassThatCannotStart() {
        run(spec -> new Here(), true, BadStart.class, Ordinary.class);
        assertThat(outcomes).containsEntry("BadStart", "FAILED").doesNotContainKey("BadStart.neverRuns");
        assertThat(thrown.get("BadStart")).hasMessageContaining("this start");
        assertThat(outcomes).containsEntry("Ordinary.passes", "SUCCESSFUL");
    }

    @LabTest(timeout = 2)
    @TestMethodOrder(MethodOrderer.OrderAnnotation.class)
    static class Deadly {
        @Test
        @Order(1)
        void first() {}

        @Test
        @Order(2)
        void exits() {
            Runtime.getRuntime().halt(42);
        }

        @Test
        @Order(3)
        void between() {}

        @Test
        @Order(4)
        void hangs() throws InterruptedException {
            for (; ; ) {
                System.out.print("");
                Thread.sleep(200);
            }
        }

        @Test
        @Order(5)
        void last() {}
    }

    @Test
    void outlivesTestsThatEndOrHangTheirJvm() throws IOException {
        Here here = new Here();
        run(spec -> here, true, Deadly.class);
        assertThat(outcomes)
                .containsExactly(
                        Map.entry("Deadly.first", "SUCCESSFUL"),
                        Map.entry("Deadly.exits", "FAILED"),
                        Map.entry("Deadly.between", "SUCCESSFUL"),
                        Map.entry("Deadly.hangs", "FAILED"),
                        Map.entry("Deadly.last", "SUCCESSFUL"));
        assertThat(thrown.get("Deadly.exits"))
                .hasMessageContaining("exit code 42")
                .hasMessageContaining("the console's end");
        assertThat(thrown.get("Deadly.hangs"))
                .hasMessageContaining("no sign of life for 2 s")
                .hasMessageContaining("Deadly.hangs(LabTestEngineTest.java");
        assertThat(output.resolve("hang-Deadly.hangs.txt")).content().contains("Deadly.hangs");
        assertThat(here.started).isEqualTo(3);
        assertThat(Files.readAllLines(output.resolve("ran.txt")))
                .extracting(line -> line.replaceFirst(".*method:", ""))
                .containsExactly("first()]", "between()]", "last()]");
    }

    @LabTest
    static class EndsItsLab {
        @ParameterizedTest
        @ValueSource(strings = {"before", "once", "after"})
        void endsOnce(String when) throws IOException {
            Path mark = Path.of(System.getProperty("javisor.lab.kept"), when);
            if (when.equals("once") && !Files.exists(mark)) {
                Files.writeString(mark, "");
                Runtime.getRuntime().halt(1);
            }
        }

        @Test
        void endsAlways() {
            Runtime.getRuntime().halt(1);
        }
    }

    @Test
    void givesATestWhoseLabEndedOneMoreChance() {
        run(
                _ -> {
                    return new Here() {
                        private @Nullable Process jvm;

                        @Override
                        public Process start(LabCommand command) throws IOException {
                            Process started = super.start(command);
                            jvm = started;
                            return started;
                        }

                        @Override
                        public boolean isAlive() {
                            return jvm == null || jvm.isAlive();
                        }
                    };
                },
                true,
                EndsItsLab.class);
        assertThat(outcomes)
                .containsOnly(
                        Map.entry("EndsItsLab.endsOnce.#1", "SUCCESSFUL"),
                        Map.entry("EndsItsLab.endsOnce.#2", "SUCCESSFUL"),
                        Map.entry("EndsItsLab.endsOnce.#3", "SUCCESSFUL"),
                        Map.entry("EndsItsLab.endsAlways", "FAILED"));
        assertThat(thrown.get("EndsItsLab.endsAlways")).hasMessageContaining("exit code 1");
    }

    @LabTest
    static class LosesItsGuest {
        private static final String FAULT = "the guest ended: Panicked; the console's last lines:\n"
                + "[   10.264243] RIP: 0010:entry_SYSCALL_64+0x0/0x2b";

        @Test
        void losesItOnce() throws IOException {
            Path mark = Path.of(System.getProperty("javisor.lab.kept"), "lost");
            if (!Files.exists(mark)) {
                Files.writeString(mark, "");
                throw new IllegalStateException("starting", new IllegalStateException(FAULT));
            }
        }

        @Test
        void losesItAlways() {
            throw new IllegalStateException(FAULT);
        }

        @Test
        void losesItByATripleFault() throws IOException {
            Path mark = Path.of(System.getProperty("javisor.lab.kept"), "triple");
            if (!Files.exists(mark)) {
                Files.writeString(mark, "");
                throw new IllegalStateException("waited for a shell, but the guest ended: TripleFault[vcpu=0]");
            }
        }

        @Test
        void losesItElsewhere() throws IOException {
            Path mark = Path.of(System.getProperty("javisor.lab.kept"), "elsewhere");
            assertThat(Files.exists(mark)).as("a second try").isFalse();
            Files.writeString(mark, "");
            throw new IllegalStateException(FAULT.replace("+0x0/", "+0x4/"));
        }

        @Test
        void keepsIt() {}
    }

    @LabTest
    static class StartsOnlyOnce {
        @BeforeAll
        static void start() throws IOException {
            Path mark = Path.of(System.getProperty("javisor.lab.kept"), "started");
            assertThat(Files.exists(mark)).as("another start").isFalse();
            Files.writeString(mark, "");
        }

        @Test
        void losesItsGuest() {
            throw new IllegalStateException(LosesItsGuest.FAULT);
        }
    }

    @Test
    void failsATestThatCannotRunOnceMore() {
        run(_ -> new Here(), true, StartsOnlyOnce.class);
        assertThat(outcomes)
                .containsEntry("StartsOnlyOnce", "FAILED")
                .containsEntry("StartsOnlyOnce.losesItsGuest", "FAILED");
    }

    @Test
    void givesATestWhoseGuestTheEmulatorBrokeOneMoreChance() {
        Here here = new Here();
        run(_ -> here, true, LosesItsGuest.class);
        assertThat(outcomes)
                .containsOnly(
                        Map.entry("LosesItsGuest.losesItOnce", "SUCCESSFUL"),
                        Map.entry("LosesItsGuest.losesItAlways", "FAILED"),
                        Map.entry("LosesItsGuest.losesItByATripleFault", "SUCCESSFUL"),
                        Map.entry("LosesItsGuest.losesItElsewhere", "FAILED"),
                        Map.entry("LosesItsGuest.keepsIt", "SUCCESSFUL"));
        assertThat(thrown.get("LosesItsGuest.losesItElsewhere")).hasMessageContaining("+0x4/");
        assertThat(here.started).isEqualTo(1);
    }

    @Test
    void failsAllWhenNoJvmStarts() {
        AgentHost broken = new Here() {
            @Override
            public Process start(LabCommand command) throws IOException {
                return new ProcessBuilder("sh", "-c", "echo no JVM here >&2; exit 9").start();
            }
        };
        run(spec -> broken, true, Deadly.class, BadStart.class);
        assertThat(outcomes.values()).containsOnly("FAILED").hasSize(6);
        assertThat(thrown.get("BadStart.neverRuns"))
                .hasMessageContaining("exit code 9")
                .hasMessageContaining("no JVM here");
    }

    /** What a machine without a lab answers. */
    private static AgentHost refuse(LabSpec spec) {
        return AgentHost.lab(LabSpec.of(l -> l.writable(Path.of("/no/such/folder"))));
    }

    @Test
    void skipsWithTheReasonWhereThereIsNoLab() {
        run(LabTestEngineTest::refuse, false, Deadly.class, BadStart.class);
        assertThat(outcomes.values())
                .hasSize(6)
                .allMatch(outcome -> outcome.startsWith("skipped: no lab: ") && outcome.contains("/no/such/folder"));
    }

    @Test
    void failsWithTheReasonWhereThereMustBeALab() {
        run(LabTestEngineTest::refuse, true, Deadly.class, BadStart.class);
        assertThat(outcomes.values()).hasSize(6).containsOnly("FAILED");
        assertThat(thrown.get("Deadly.last")).hasMessageContaining("/no/such/folder");
    }

    @Test
    void countsWhatRanAgainstTheTree() throws Exception {
        Path classes = Path.of(LabTestEngineTest.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        Set<String> expected = CheckRan.inTree(classes, "long", "fuzz");
        String nested =
                "[engine:javisor-lab]/[class:io.javisor.lab.HostInLabTest]/[nested-class:Nesting]/[method:works()]";
        assertThat(expected)
                .contains(nested)
                .anyMatch(id -> id.contains("test-template:isSetUpForVirtualMachines"))
                // This class's own samples are no tests of the tree.
                .noneMatch(id -> id.contains("LabTestEngineTest"));
        assertThat(CheckRan.inTree(classes, "lab")).isEmpty();
        Path record = output.resolve("record");
        assertThat(CheckRan.missing(expected, record)).isEqualTo(expected);
        Files.write(record, expected.stream().filter(id -> !id.equals(nested)).toList());
        assertThat(CheckRan.missing(expected, record)).containsExactly(nested);
    }
}
