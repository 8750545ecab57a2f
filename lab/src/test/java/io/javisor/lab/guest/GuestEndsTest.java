package io.javisor.lab.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.api.MachineEvent;
import io.javisor.api.Outcome;
import io.javisor.api.ResetAction;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.lab.junit.LabTest;
import io.javisor.partition.HypervisorException;
import io.javisor.vmbus.service.ShutdownService;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Each way in which a guest can end is told from the others. */
@LabTest(guests = "6.12-cloud")
class GuestEndsTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private static VirtualMachine machine(String init, ResetAction onReset) {
        Path initrd = GuestFiles.initrd("""
                #!/bin/busybox sh
                b=/bin/busybox
                $b mkdir -p /proc /tmp
                $b mount -t proc proc /proc
                """ + init);
        return VirtualMachine.builder("ends")
                .linux(l -> l.kernel(GuestFiles.kernel("6.12-cloud")).initrd(initrd))
                .onReset(onReset)
                .build();
    }

    @Test
    void aPanicIsToldFromAResetAndSaysWhy() throws InterruptedException {
        try (VirtualMachine vm = machine("echo c > /proc/sysrq-trigger; $b sleep 60\n", ResetAction.STOP)) {
            var reports = new LinkedBlockingQueue<MachineEvent.CrashReported>();
            vm.onEvent(event -> {
                if (event instanceof MachineEvent.CrashReported report) {
                    reports.add(report);
                }
            });
            Outcome outcome = vm.start().awaitStop(PATIENCE);
            assertThat(outcome).isInstanceOf(Outcome.Panicked.class);
            assertThat(((Outcome.Panicked) outcome).message()).contains("sysrq triggered crash");
            MachineEvent.CrashReported report = reports.poll(10, TimeUnit.SECONDS);
            assertThat(report).isNotNull();
            assertThat(report.parameters()).hasSize(5);
            assertThat(report.message()).contains("Kernel panic - not syncing: sysrq triggered crash");
        }
    }

    @Test
    void theEndOfInitIsAPanic() {
        try (VirtualMachine vm = machine("exit 1\n", ResetAction.RESTART)) {
            Outcome outcome = vm.start().awaitStop(PATIENCE);
            assertThat(outcome).isInstanceOf(Outcome.Panicked.class);
            assertThat(((Outcome.Panicked) outcome).message()).contains("Attempted to kill init");
        }
    }

    @Test
    void aResetStopsTheMachineIfAskedTo() {
        try (VirtualMachine vm = machine("$b reboot -f\n", ResetAction.STOP)) {
            assertThat(vm.start().awaitStop(PATIENCE)).isEqualTo(new Outcome.Reset());
        }
    }

    @Test
    void aHangIsATimeOutWithTheConsoleAsEvidence() {
        try (VirtualMachine vm = machine("echo hanging now; while :; do :; done\n", ResetAction.STOP)) {
            vm.start().await(Wait.forConsole("hanging now"), PATIENCE);
            assertThatThrownBy(() -> vm.awaitStop(Duration.ofSeconds(1)))
                    .isInstanceOfSatisfying(
                            HypervisorException.class, e -> assertThat(e.code()).isEqualTo("timeout"))
                    .hasMessageContaining("hanging now");
            long before = System.nanoTime();
            vm.kill();
            assertThat(vm.outcome()).contains(new Outcome.Killed());
            assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(10));
        }
    }

    @Test
    void thePowerButtonIsHeard() {
        try (VirtualMachine vm = VirtualMachine.builder("button")
                .linux(l -> l.debian("6.12-cloud"))
                .build()) {
            vm.start().await(Wait.forShell(), PATIENCE);
            assertThat(vm.shutdown(Duration.ofSeconds(30))).isEqualTo(new Outcome.PoweredOff());
        }
    }

    @Test
    @Tag("long")
    void theServiceRestartsAGuestAndOneThatBreaksItsWordHearsTheButton() throws Exception {
        try (VirtualMachine vm = VirtualMachine.builder("word")
                .linux(l -> l.debian("6.12-cloud"))
                .onReset(ResetAction.RESTART)
                .build()) {
            var restarts = new Semaphore(0);
            vm.onEvent(event -> {
                if (event instanceof MachineEvent.Restarted) {
                    restarts.release();
                }
            });
            vm.start().await(Wait.forShell(), PATIENCE);
            awaitService(vm);
            vm.integration()
                    .shutdown()
                    .request(ShutdownService.Kind.RESTART, false, "restart", PATIENCE)
                    .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            assertThat(restarts.tryAcquire(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
            vm.await(Wait.forShell(), PATIENCE);
            awaitService(vm);
            // What the kernel calls when the service asks it to power off.
            vm.exec("sh", "-c", "echo /bin/true >/proc/sys/kernel/poweroff_cmd");
            assertThat(vm.shutdown(Duration.ofSeconds(40))).isEqualTo(new Outcome.PoweredOff());
        }
    }

    private static void awaitService(VirtualMachine vm) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!vm.integration().shutdown().isReady()) {
            assertThat(System.nanoTime() - deadline).as("waiting for hv_utils").isNegative();
            Thread.sleep(100);
        }
    }

    @Test
    void aResetBootsAgain() throws InterruptedException {
        try (VirtualMachine vm = machine("$b reboot -f\n", ResetAction.RESTART)) {
            var restarts = new Semaphore(0);
            vm.onEvent(event -> {
                if (event instanceof MachineEvent.Restarted) {
                    restarts.release();
                }
            });
            vm.start();
            assertThat(restarts.tryAcquire(3, PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
            vm.kill();
            assertThat(vm.outcome()).contains(new Outcome.Killed());
        }
    }
}
