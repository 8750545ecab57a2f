package io.javisor.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** However a lab ends, nothing of it is left on this machine. */
@Tag("lab")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class LabEndTest {
    @Test
    void isCompleteWhenTheProcessThatStartedItIsKilled() throws Exception {
        Process run = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        Run.class.getName(),
                        "--memory",
                        "256M",
                        "sh",
                        "-c",
                        "echo up; sleep 1000")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertThat(run.getInputStream().readNBytes(3)).isEqualTo(new byte[] {'u', 'p', '\n'});
        List<ProcessHandle> children = run.descendants().toList();
        assertThat(children).isNotEmpty();
        assertThat(folders(run.pid())).hasSize(1);
        run.destroyForcibly().waitFor();
        awaitEnd(children);
        assertThat(folders(run.pid())).isEmpty();
    }

    @Test
    void isCompleteWhenTheLabDoesNotComeUp() throws Exception {
        long self = ProcessHandle.current().pid();
        List<Path> before = folders(self);
        List<ProcessHandle> children = ProcessHandle.current().descendants().toList();
        assertThatThrownBy(() ->
                        Lab.start(LabSpec.of(l -> l.memoryPerNode(256L << 20).kernelArgument("rdinit=/nothing"))))
                .isInstanceOf(LabException.class)
                .hasMessageContaining("ended while booting")
                .hasMessageContaining("Kernel panic");
        assertThatThrownBy(() -> Lab.start(LabSpec.of(l -> l.qemu("-no-such-option"))))
                .isInstanceOf(LabException.class)
                .hasMessageContaining("-no-such-option: invalid option");
        assertThatThrownBy(() -> Lab.start(LabSpec.of(l -> l.bootTimeout(Duration.ofMillis(300)))))
                .isInstanceOf(LabException.class)
                .hasMessageContaining("not up after");
        assertThatThrownBy(() -> Lab.start(LabSpec.of(l -> l.writable(Path.of("/no/such/folder")))))
                .isInstanceOf(LabException.class)
                .hasMessageContaining("/no/such/folder");
        List<ProcessHandle> left = ProcessHandle.current()
                .descendants()
                .filter(p -> !children.contains(p))
                .toList();
        awaitEnd(left);
        assertThat(folders(self)).isEqualTo(before);
    }

    private static void awaitEnd(List<ProcessHandle> processes) throws Exception {
        for (ProcessHandle process : processes) {
            process.onExit().get(20, TimeUnit.SECONDS);
        }
    }

    private static List<Path> folders(long pid) throws IOException {
        try (Stream<Path> list = Files.list(Path.of("/tmp"))) {
            return list.filter(p -> p.getFileName().toString().startsWith("javisor-lab-" + pid + "-"))
                    .sorted()
                    .toList();
        }
    }
}
