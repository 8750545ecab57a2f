package io.javisor.lab.guest;

import static io.javisor.api.MemorySize.mib;
import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.MachineEvent;
import io.javisor.api.Outcome;
import io.javisor.api.ResetAction;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.api.exec.ExecException;
import io.javisor.api.exec.ExecRequest;
import io.javisor.api.exec.ExecTransport;
import io.javisor.boot.debian.DebianKernel;
import io.javisor.boot.debian.DebianPackages;
import io.javisor.boot.image.BusyboxInit;
import io.javisor.boot.image.KernelModules;
import io.javisor.partition.HypervisorException;
import io.javisor.vmbus.service.HeartbeatService;
import io.javisor.vmbus.socket.HvSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/** What the bus is to a stock kernel with busybox, by that guest's own word: one boot for all. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
abstract class VmBusGuest {
    static final Duration BOOT = Duration.ofMinutes(3);
    static final Duration SOON = Duration.ofMinutes(3);
    private static final int ECHO = 5000;

    private final String kernel;
    private final LinkedBlockingQueue<MachineEvent.CrashReported> crashes = new LinkedBlockingQueue<>();
    VirtualMachine vm;

    VmBusGuest(String kernel) {
        this.kernel = kernel;
    }

    @BeforeAll
    void boot() {
        vm = VirtualMachine.builder("bus")
                .vcpus(2)
                .memory(mib(384))
                .linux(l -> l.debian(kernel))
                .onReset(ResetAction.STOP)
                .build();
        vm.onEvent(event -> {
            if (event instanceof MachineEvent.CrashReported report) {
                crashes.add(report);
            }
        });
        vm.start().await(Wait.forShell(), BOOT);
        sh("(setsid javisor-agent listen " + ECHO + " /bin/cat </dev/null >/dev/null 2>&1 &)");
    }

    @AfterAll
    void close() {
        vm.close();
    }

    String sh(String script) {
        return sh(vm, script);
    }

    static String sh(VirtualMachine vm, String script) {
        return vm.exec(ExecRequest.command("sh", "-c", script).timeout(SOON).build())
                .stdoutText()
                .strip();
    }

    static HvSocket connect(VirtualMachine vm, int port) throws Exception {
        long deadline = System.nanoTime() + SOON.toNanos();
        while (true) {
            try {
                return vm.connect(port, Duration.ofSeconds(10));
            } catch (HypervisorException e) {
                assertThat(System.nanoTime() - deadline).as(e.getMessage()).isNegative();
            }
        }
    }

    static void awaitHeartbeat(VirtualMachine vm) throws Exception {
        long deadline = System.nanoTime() + SOON.toNanos();
        while (vm.integration().heartbeat().state() != HeartbeatService.State.OK) {
            assertThat(System.nanoTime() - deadline)
                    .as("waiting for a heartbeat")
                    .isNegative();
            Thread.sleep(100);
        }
    }

    @Test
    @Order(1)
    void theGuestListsExactlyWhatWasOffered() {
        assertThat(sh("cat /sys/bus/vmbus/devices/*/class_id").lines().sorted())
                .as("backup, shutdown, heartbeat, time, keys and values (include/linux/hyperv.h); the socket that asks")
                .satisfiesExactly(
                        is("{0e0b6031-5213-4934-818b-38d90ced39db}"),
                        is("{35fa2e29-ea23-4236-96ae-3a6ebacba440}"),
                        is("{57164f39-9115-4e78-ab55-382f3bd5422d}"),
                        id -> assertThat(id).matches("\\{7f[0-9a-f]{6}-facb-11e6-bd58-64006a7986d3}"),
                        is("{9527e630-d0ae-497b-adce-e80ab0175caf}"),
                        is("{a9a0f4e7-5a45-4d96-b827-8a841e8c03e6}"));
    }

    private static org.assertj.core.api.ThrowingConsumer<String> is(String wanted) {
        return id -> assertThat(id).isEqualTo(wanted);
    }

    @Test
    @Order(2)
    void theGuestUsesItsEnlightenments() throws Exception {
        assertThat(sh("cat /sys/devices/system/clocksource/clocksource0/current_clocksource"))
                .isIn("hyperv_clocksource_tsc_page", "tsc");
        assertThat(sh("dmesg"))
                .contains("Vmbus version:5.3")
                .contains("Using hypercall for remote TLB flush")
                .contains("Using IPI hypercalls");
        awaitHeartbeat(vm);
    }

    @Test
    @Order(2)
    void aChannelMovesToAnotherProcessorAndGoesOn() throws Exception {
        String[] cpus = sh("for d in /sys/bus/vmbus/devices/*; do case $(cat $d/class_id) in "
                        + "*9527e630-d0ae-497b-adce-e80ab0175caf*) cd $d/channels/*; esac; done; "
                        + "a=$(cat cpu); echo $((1 - a)) >cpu; echo $a $(cat cpu)")
                .split(" ");
        assertThat(cpus).as("the time service's channel before and after").containsExactlyInAnyOrder("0", "1");
        vm.integration().time().synchronize().get(SOON.toSeconds(), TimeUnit.SECONDS);
    }

    @Test
    @Order(3)
    void programsRunOverASocketAndTenMegabytesComeOutIntact() throws Exception {
        String sum = sh("head -c 10485760 /dev/urandom >/tmp/r; sha256sum </tmp/r");
        byte[] random = vm.exec(
                        ExecRequest.command("cat", "/tmp/r").timeout(SOON).build())
                .stdout();
        assertThat(vm.execTransport()).contains(ExecTransport.SOCKET);
        assertThat(random).hasSize(10 << 20);
        assertThat(sum).startsWith(sha256(random));
        sh("rm /tmp/r");
        assertThat(vm.exec("sh", "-c", "kill -INT $$; exit 1").exitCode())
                .as("interrupts are not ignored")
                .isEqualTo(130);
    }

    static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    /** Exits to this process that a signal of a ring could cost: a hypercall, or a look at the SynIC. */
    private long hyperVExits() {
        return vm.statistics().exits().entrySet().stream()
                .filter(e -> e.getKey().startsWith("HYPERV"))
                .mapToLong(java.util.Map.Entry::getValue)
                .sum();
    }

    /** Times that the guest has signalled the host for channels of sockets, by the count in its own driver. */
    private long signals() {
        return Long.parseLong(sh("cd /sys/bus/vmbus/devices; s=0; for d in *; do case $(cat $d/class_id) in "
                + "*-facb-11e6-bd58-64006a7986d3}) s=$((s + $(cat $d/channels/*/events)));; esac; done; echo $s"));
    }

    @Test
    @Order(4)
    void aHundredMegabytesGoEachWayWithoutAnExitForASignal() throws Exception {
        var bytes = new EchoedBytes();
        try (HvSocket socket = connect(vm, ECHO)) {
            long exits = hyperVExits();
            long signals = signals();
            long begun = System.nanoTime();
            int[] pieces = {0};
            long[] during = {0, 0};
            Thread sender = bytes.send(socket, 100);
            long received = bytes.receive(socket, () -> {
                if (++pieces[0] == 90) { // while the channel is open, because opening and closing are messages
                    during[0] = signals() - signals;
                    during[1] = hyperVExits() - exits;
                }
            });
            sender.join();
            System.out.println("100 MiB each way in " + (System.nanoTime() - begun) / 1_000_000 + " ms, " + during[0]
                    + " signals of the guest for 90 of them");
            assertThat(received)
                    .as("bytes that came back, up to the end that followed ours")
                    .isEqualTo(100L * EchoedBytes.PIECE);
            assertThat(during[0]).as("signals of the guest").isGreaterThan(100);
            assertThat(during[1]).as("exits to userspace for them").isZero();
        }
    }

    @Test
    @Order(5)
    void twoHundredSocketsAreOpenAtOnce() throws Exception {
        List<HvSocket> open = new ArrayList<>();
        try {
            for (int i = 0; i < 200; i++) {
                open.add(connect(vm, ECHO));
                open.get(i).write(ByteBuffer.wrap(line(i)));
            }
            for (int i = 0; i < open.size(); i++) {
                ByteBuffer answer = ByteBuffer.allocate(line(i).length);
                while (answer.hasRemaining() && open.get(i).read(answer) >= 0) {}
                assertThat(answer.array()).isEqualTo(line(i));
            }
            assertThat(Integer.parseInt(sh("ls /sys/bus/vmbus/devices | wc -l")))
                    .isGreaterThanOrEqualTo(5 + 1 + 200);
        } finally {
            for (HvSocket socket : open) {
                socket.close();
            }
        }
    }

    private static byte[] line(int i) {
        return ("line " + i + "\n").getBytes(StandardCharsets.US_ASCII);
    }

    @Test
    @Tag("long")
    @SuppressWarnings("JUnitMethodInvoked") // what held before holds again
    @Order(8)
    void aSecondKernelReconnectsByKexec() throws Exception {
        String first = sh("cat /proc/sys/kernel/random/boot_id");
        DebianKernel files = DebianPackages.open().kernel(kernel);
        byte[] initrd = BusyboxInit.of(b -> b.busybox(DebianPackages.open().busybox())
                        .modules(KernelModules.open(files.modulesFolder()).forGuest()))
                .initramfs()
                .toBytes();
        put("/tmp/kernel", Files.readAllBytes(files.image()));
        put("/tmp/initrd", initrd);
        put("/tmp/kexec", KexecProgram.elf());
        sh("chmod +x /tmp/kexec; (setsid sh -c 'sleep 1; /tmp/kexec /tmp/kernel /tmp/initrd \"$(cat /proc/cmdline)\"; "
                + "echo kexec failed with $? >/dev/console' </dev/null >/dev/null 2>&1 &)");
        String second = first;
        long deadline = System.nanoTime() + BOOT.toNanos();
        while (second.equals(first)) {
            assertThat(System.nanoTime() - deadline).as(vm.console().text()).isNegative();
            Thread.sleep(1000);
            try {
                second = sh("cat /proc/sys/kernel/random/boot_id");
            } catch (ExecException e) {
                assertThat(e.code()).as(e.getMessage()).isIn("exec-shell-lost", "exec-no-shell");
            }
        }
        assertThat(sh("dmesg")).contains("Vmbus version:5.3");
        assertThat(vm.execTransport()).contains(ExecTransport.SOCKET);
        theGuestListsExactlyWhatWasOffered();
        awaitHeartbeat(vm);
    }

    private void put(String path, byte[] content) {
        vm.exec(ExecRequest.command("sh", "-c", "cat >" + path)
                        .stdin(content)
                        .timeout(SOON)
                        .build())
                .orThrow();
    }

    @Test
    @Order(9)
    void aPanicArrivesWithItsMessage() throws Exception {
        Thread.ofVirtual().start(() -> {
            try {
                vm.exec("sh", "-c", "echo c >/proc/sysrq-trigger");
            } catch (ExecException e) {
                // the guest is gone, as it should be
            }
        });
        Outcome outcome = vm.awaitStop(SOON);
        assertThat(outcome).isInstanceOf(Outcome.Panicked.class);
        MachineEvent.CrashReported report = crashes.poll(10, TimeUnit.SECONDS);
        assertThat(report).isNotNull();
        assertThat(report.parameters()).hasSize(5);
        assertThat(report.message()).contains("Kernel panic - not syncing: sysrq triggered crash");
    }
}
