package io.javisor.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.kvm.Capability;
import io.javisor.kvm.Kvm;
import io.javisor.lab.junit.LabTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the lab's machine is, as a test in it sees it. */
@LabTest
class HostInLabTest {
    @Test
    void hasItsOwnKernelWithKvm() throws IOException {
        assertThat(System.getProperty("os.version")).startsWith("6.1.0-").endsWith("-amd64");
        assertThat(Path.of("/dev/kvm")).isWritable();
        assertThat(Files.readString(Path.of("/sys/module/kvm_amd/parameters/nested")))
                .startsWith("1");
    }

    @ParameterizedTest
    @EnumSource(names = {"HYPERV", "HYPERV_SYNIC2", "HYPERV_CPUID", "HYPERV_EVENTFD"})
    void offersGuestsWhatHyperVDoes(Capability capability) {
        try (Kvm kvm = Kvm.open()) {
            assertThat(kvm.has(capability)).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void hasTwoNodesWithMemoryAndAProcessorEach(int node) throws IOException {
        Path folder = Path.of("/sys/devices/system/node/node" + node);
        List<String> memory = Files.readAllLines(folder.resolve("meminfo"));
        assertThat(memory.getFirst()).matches("Node " + node + " MemTotal: +[0-9]{7} kB");
        assertThat(Files.readString(folder.resolve("cpulist"))).isEqualTo(node == 0 ? "0-1\n" : "2\n");
    }

    @Test
    void keepsProcessor0FreeOfCommands() throws IOException {
        assertThat(Files.readString(Path.of("/proc/self/status"))).containsPattern("Cpus_allowed_list:\\s1-2\n");
        assertThat(Runtime.getRuntime().availableProcessors()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    @Timeout(60)
    void wakesEveryProcessorThatGuestsRunOn(int processor) throws Exception {
        long begun = beats(processor);
        while (beats(processor) < begun + 3) {
            Thread.sleep(50);
        }
    }

    /** How often the process that is bound to a processor has been woken. */
    private static long beats(int processor) {
        Pattern status = Pattern.compile(
                "Name:\\s(busybox|cat)\n.*Cpus_allowed_list:\\s" + processor
                        + "\n.*\nvoluntary_ctxt_switches:\\s([0-9]+)\n",
                Pattern.DOTALL);
        for (ProcessHandle process : ProcessHandle.allProcesses().toList()) {
            try {
                Matcher found = status.matcher(Files.readString(Path.of("/proc/" + process.pid() + "/status")));
                if (found.find()) {
                    return Long.parseLong(found.group(2));
                }
            } catch (IOException e) {
                // it has just ended
            }
        }
        throw new AssertionError("no process is bound to processor " + processor);
    }

    @ParameterizedTest
    @MethodSource("settings")
    void isSetUpForVirtualMachines(Path file, String expected) throws IOException {
        assertThat(Files.readString(file)).contains(expected);
    }

    static Stream<Arguments> settings() {
        return Stream.of(
                Arguments.of(Path.of("/sys/kernel/mm/transparent_hugepage/shmem_enabled"), "[advise]"),
                Arguments.of(Path.of("/sys/devices/system/clocksource/clocksource0/current_clocksource"), "tsc"),
                Arguments.of(Path.of("/proc/self/limits"), "1048576"));
    }

    @Nested
    class Nesting {
        @Test
        void works() {
            assertThat(Path.of("/run/javisor/agent")).exists();
        }
    }
}
