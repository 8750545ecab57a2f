package io.javisor.boot.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is in the standard userland; that it boots is for the lab to show. */
class BusyboxInitTest {
    private static final Path BUSYBOX = Path.of("/bin/busybox");

    @TempDir
    Path folder;

    @Test
    void holdsInitCommandsAndModules() throws Exception {
        assumeTrue(Files.isExecutable(BUSYBOX), "no busybox here");
        Path tree = Files.createDirectories(folder.resolve("6.1.0-test"));
        ModuleBytes.put(tree, "hv_vmbus.ko", "depends=");
        ModuleBytes.put(tree, "hv_balloon.ko", "depends=hv_vmbus");
        BusyboxInit init = BusyboxInit.of(b -> b.busybox(BUSYBOX)
                .modules(KernelModules.open(tree).forGuest())
                .parameters("hv-balloon", "hot_add=1 pressure_report_delay=0")
                .init("echo 'it''s'")
                .end(BusyboxInit.End.REBOOT)
                .files(i -> i.text("etc/motd", "hello")));
        List<String> lines = CpioListing.of(init.initramfs());
        assertThat(lines)
                .contains("bin/sh 120777 /bin/busybox", "dev/console 20600 5:1", "etc/motd 100644 hello")
                .anyMatch(l -> l.startsWith("init 100755 #!/bin/busybox sh"))
                .anyMatch(l -> l.startsWith("sbin/poweroff 100755 #!/bin/busybox sh"))
                .contains(
                        "etc/javisor/defaults 100644 init='echo '\\''it'\\'''\\''s'\\'''\nend=reboot\nport=ttyS1\nhost=javisor\n")
                .contains("""
                        etc/javisor/modules 100644 hv_vmbus /lib/modules/6.1.0-test/kernel/hv_vmbus.ko -
                        hv_balloon /lib/modules/6.1.0-test/kernel/hv_balloon.ko hv_vmbus hot_add=1 pressure_report_delay=0
                        """);
    }

    @Test
    void scriptsAreValidToTheShellThatRunsThem() throws Exception {
        assumeTrue(Files.isExecutable(BUSYBOX), "no busybox here");
        for (String script : List.of("init.sh", "end.sh", "shell.sh")) {
            Path file = folder.resolve(script);
            try (var in = BusyboxInit.class.getResourceAsStream(script)) {
                assertThat(in).isNotNull();
                Files.copy(in, file);
            }
            Process process = new ProcessBuilder(BUSYBOX.toString(), "sh", "-n", file.toString())
                    .redirectErrorStream(true)
                    .start();
            assertThat(new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8))
                    .isEmpty();
            assertThat(process.waitFor()).isZero();
        }
    }

    @Test
    void refusesWhatIsNoBusybox() {
        assertThatThrownBy(() ->
                        BusyboxInit.of(b -> b.busybox(Path.of("/bin/true"))).initramfs())
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.code()).isEqualTo("image-tool"))
                .hasMessageContaining("/bin/true")
                .hasMessageContaining("busybox-static");
        assertThatThrownBy(() -> BusyboxInit.of(b -> {})).hasMessageContaining("no busybox");
    }

    @Test
    void refusesParametersOfModulesThatAreNotThere() {
        assertThatThrownBy(() -> BusyboxInit.of(b -> b.busybox(BUSYBOX).parameters("hv_balloon", "x=1")))
                .hasMessageContaining("hv_balloon");
    }

    @Test
    void refusesNamesThatTheShellWouldTakeApart() {
        assertThatThrownBy(() -> BusyboxInit.of(b -> b.busybox(BUSYBOX).shellOn("ttyS1; reboot")))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> BusyboxInit.of(b -> b.busybox(BUSYBOX).hostName("a b")))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
