package io.javisor.lab.guest;

import static io.javisor.api.MemorySize.mib;
import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.Outcome;
import io.javisor.api.VirtualMachine;
import io.javisor.lab.junit.LabTest;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Stock Debian kernels boot to a given initrd's /init, which says what it was given, and power off. */
@LabTest(
        memory = "5G",
        guests = {"6.1", "6.1-cloud", "6.12-cloud"})
class StockKernelBootTest {
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private static final String INIT = """
            #!/bin/busybox sh
            b=/bin/busybox
            $b mkdir -p /proc /sys
            $b mount -t proc proc /proc
            $b mount -t sysfs sys /sys
            echo "release=$($b uname -r)"
            echo "cmdline=$($b cat /proc/cmdline)"
            echo "processors=$($b grep -c ^processor /proc/cpuinfo)"
            echo "online=$($b cat /sys/devices/system/cpu/online)"
            echo "memory=$($b awk '/MemTotal/ {print $2}' /proc/meminfo)"
            echo "clock=$($b cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
            echo "hypervisor=$($b dmesg | $b grep -c 'Hypervisor detected: Microsoft Hyper-V')"
            $b dmesg -r | $b grep -E '^<[0-4]>' | $b sed 's/^/warning: /'
            echo "end of report"
            $b poweroff -f
            """;

    @ParameterizedTest(name = "{0}, {1} vCPUs, {2} MiB")
    @CsvSource({
        "6.1-cloud, 1, 256",
        "6.1-cloud, 8, 6144",
        "6.12-cloud, 2, 6144",
        "6.12-cloud, 8, 512",
        "6.1, 1, 256",
        "6.1, 2, 512",
    })
    void bootsToInitAndPowersOff(String kernel, int vcpus, int mebibytes) {
        boots(kernel, vcpus, mebibytes);
    }

    @ParameterizedTest(name = "{0}, {1} vCPUs, {2} MiB")
    @CsvSource({"6.1-cloud, 2, 512", "6.12-cloud, 1, 256", "6.1, 8, 6144"})
    @Tag("long")
    void bootsWithTheOtherSizesToo(String kernel, int vcpus, int mebibytes) {
        boots(kernel, vcpus, mebibytes);
    }

    private static void boots(String kernel, int vcpus, int mebibytes) {
        try (VirtualMachine vm = VirtualMachine.builder("boot")
                .vcpus(vcpus)
                .memory(mib(mebibytes))
                .linux(l -> l.kernel(GuestFiles.kernel(kernel))
                        .initrd(GuestFiles.initrd(INIT))
                        .append("javisor.test=passed-through"))
                .build()) {
            assertThat(vm.start().awaitStop(PATIENCE)).isEqualTo(new Outcome.PoweredOff());
            Report report = Report.of(vm.console().text());
            assertThat(report.get("release"))
                    .startsWith(kernel.replace("-cloud", ""))
                    .contains("amd64");
            assertThat(report.get("cmdline")).endsWith("javisor.test=passed-through");
            assertThat(report.number("processors")).isEqualTo(vcpus);
            assertThat(report.get("online")).isEqualTo(vcpus == 1 ? "0" : "0-" + (vcpus - 1));
            // The kernel keeps a part to itself: its image, its page descriptors, and what holds initrd and tables.
            assertThat(report.number("memory") * 1024).isBetween(mib(mebibytes) * 80 / 100 - mib(64), mib(mebibytes));
            assertThat(report.get("clock")).isIn("hyperv_clocksource_tsc_page", "tsc");
            assertThat(report.number("hypervisor")).isEqualTo(1);
            // More vCPUs than the lab has processors, translated: ticks come late there.
            assertThat(report.warnings())
                    .as("warnings in the guest's log")
                    .allMatch(line -> line.contains("hrtimer: interrupt took"));
        }
    }
}
