package io.javisor.lab.guest;

import static io.javisor.api.MemorySize.mib;
import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.MachineEvent;
import io.javisor.api.Outcome;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.api.exec.ExecRequest;
import io.javisor.api.exec.ExecTransport;
import io.javisor.lab.DebianDisk;
import io.javisor.lab.junit.LabTest;
import io.javisor.vmbus.service.HeartbeatService;
import io.javisor.vmbus.service.IntegrationException;
import io.javisor.vmbus.service.KeyValueService;
import io.javisor.vmbus.service.ShutdownService;
import io.javisor.vmbus.socket.HvSocket;
import io.javisor.vmbus.socket.HvSocketListener;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
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

/** Hyper-V's daemons in a Debian, against the services that this house offers: one boot for all. */
@Tag("long")
@LabTest(guests = DebianDisk.NAME, timeout = 600)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DaemonsInGuestTest {
    private static final Duration BOOT = Duration.ofMinutes(4);
    private static final Duration SOON = Duration.ofSeconds(90);

    private final LinkedBlockingQueue<HeartbeatService.State> beats = new LinkedBlockingQueue<>();
    private VirtualMachine vm;

    @BeforeAll
    void boot() {
        vm = DebianDisk.get()
                .describe(VirtualMachine.builder("daemons").vcpus(2).memory(mib(1024)))
                .build();
        vm.onEvent(event -> {
            if (event instanceof MachineEvent.HeartbeatChanged change) {
                beats.add(change.state());
            }
        });
        vm.start().await(Wait.forShell(), BOOT);
    }

    @AfterAll
    void close() {
        vm.close();
    }

    private String sh(String script) {
        return vm.exec(ExecRequest.command("sh", "-c", script)
                        .timeout(Duration.ofSeconds(90))
                        .build())
                .stdoutText()
                .strip();
    }

    private static void eventually(String what, Check check) throws Exception {
        long deadline = System.nanoTime() + SOON.toNanos();
        while (!check.holds()) {
            assertThat(System.nanoTime()).as("waiting for " + what).isLessThan(deadline);
            Thread.sleep(200);
        }
    }

    private interface Check {
        boolean holds() throws Exception;
    }

    @Test
    @Order(1)
    void theGuestListsWhatWasOffered() {
        // Class IDs of shutdown, time synchronization, heartbeat, key-value exchange and backup
        // (include/linux/hyperv.h).
        assertThat(sh("cat /sys/bus/vmbus/devices/*/class_id"))
                .contains(
                        "{0e0b6031-5213-4934-818b-38d90ced39db}",
                        "{9527e630-d0ae-497b-adce-e80ab0175caf}",
                        "{57164f39-9115-4e78-ab55-382f3bd5422d}",
                        "{a9a0f4e7-5a45-4d96-b827-8a841e8c03e6}",
                        "{35fa2e29-ea23-4236-96ae-3a6ebacba440}");
    }

    @Test
    @Order(2)
    void keysAndValuesGoBothWays() throws Exception {
        sh("systemctl start hyperv-daemons.hv-kvp-daemon.service");
        KeyValueService keys = vm.integration().keyValue();
        eventually("the key-value daemon", keys::isReady);
        keys.set("from.host", "värde 42").get(60, TimeUnit.SECONDS);
        assertThat(sh("tr -d '\\0' </var/lib/hyperv/.kvp_pool_0"))
                .contains("from.host")
                .contains("värde 42");
        assertThat(keys.get(KeyValueService.Pool.EXTERNAL, "from.host").get(60, TimeUnit.SECONDS))
                .contains("värde 42");
        // A record of a pool's file: key in 512 bytes, value in 2,048 (tools/hv/hv_kvp_daemon.c).
        sh(
                "{ printf from.guest; head -c 502 /dev/zero; printf hej; head -c 2045 /dev/zero; } >/var/lib/hyperv/.kvp_pool_1");
        assertThat(keys.enumerate(KeyValueService.Pool.GUEST).get(60, TimeUnit.SECONDS))
                .containsEntry("from.guest", "hej");
        assertThat(keys.enumerate(KeyValueService.Pool.INTRINSIC).get(60, TimeUnit.SECONDS))
                .containsEntry("OSVersion", sh("uname -r | sed 's/-.*//'"))
                .containsEntry("ProcessorArchitecture", "x86_64");
        keys.delete("from.host").get(60, TimeUnit.SECONDS);
        assertThat(keys.enumerate(KeyValueService.Pool.EXTERNAL).get(60, TimeUnit.SECONDS))
                .doesNotContainKey("from.host");
    }

    @Test
    @Order(3)
    void fileSystemsStandStillAroundABackup() throws Exception {
        sh("systemctl start hyperv-daemons.hv-vss-daemon.service");
        eventually("the backup daemon", vm.integration().backup()::isReady);
        // A writer on the disk's file system, which tells the time at which it goes on in memory.
        sh("(while :; do echo >/root/beat; read up idle </proc/uptime; echo $up; sleep 0.1; done) "
                + ">/run/beats 2>&1 </dev/null & echo $! >/run/writer");
        Thread.sleep(1000);
        Duration frozen = vm.integration().backup().whileFrozen(Duration.ofSeconds(60), () -> {
            assertThat(vm.integration().backup().isFrozen()).isTrue();
            Thread.sleep(4000);
            return Duration.ofSeconds(4);
        });
        assertThat(vm.integration().backup().isFrozen()).isFalse();
        Thread.sleep(1000);
        double[] beats = sh("kill $(cat /run/writer); cat /run/beats")
                .lines()
                .filter(line -> line.matches("[0-9]+\\.[0-9]+"))
                .mapToDouble(Double::parseDouble)
                .toArray();
        double longest = 0;
        for (int i = 1; i < beats.length; i++) {
            longest = Math.max(longest, beats[i] - beats[i - 1]);
        }
        assertThat(longest).as("seconds without a write").isGreaterThan(frozen.toMillis() / 1000.0 - 0.5);
    }

    private static byte[] random(int bytes) {
        byte[] data = new byte[bytes];
        new Random(7).nextBytes(data);
        return data;
    }

    private static String sha256(InputStream in) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        byte[] buffer = new byte[1 << 16];
        for (int n; (n = in.read(buffer)) >= 0; ) {
            digest.update(buffer, 0, n);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    @Test
    @Tag("long")
    @Order(5)
    void socketsMoveAHundredMegabytesEachWayAndCloseByHalves() throws Exception {
        sh("modprobe hv_sock; (socat -b 65536 VSOCK-LISTEN:5000,fork EXEC:'sha256sum' </dev/null >/run/socat 2>&1 &)");
        byte[] piece = random(1 << 20);
        MessageDigest expected = MessageDigest.getInstance("SHA-256");
        try (HvSocket socket = connect(5000)) {
            for (int i = 0; i < 100; i++) {
                socket.write(ByteBuffer.wrap(piece));
                expected.update(piece);
            }
            socket.shutdownOutput(); // the guest's program sees the end and answers
            assertThat(new String(Channels.newInputStream(socket).readAllBytes(), StandardCharsets.UTF_8))
                    .startsWith(HexFormat.of().formatHex(expected.digest()));
        }
        try (HvSocketListener listener = vm.listen(6000)) {
            sh("head -c 104857600 /dev/urandom >/run/data; (socat -b 65536 -u FILE:/run/data VSOCK-CONNECT:2:6000 "
                    + "</dev/null >/run/socat2 2>&1 &)");
            try (HvSocket socket = listener.accept()) {
                assertThat(sh("sha256sum </run/data")).startsWith(sha256(Channels.newInputStream(socket)));
            }
        }
        sh("rm /run/data");
    }

    private HvSocket connect(int port) throws Exception {
        HvSocket[] socket = new HvSocket[1];
        eventually("port " + port, () -> {
            try {
                socket[0] = vm.connect(port, Duration.ofSeconds(2));
                return true;
            } catch (io.javisor.partition.HypervisorException e) {
                return false;
            }
        });
        return socket[0];
    }

    @Test
    @Tag("long")
    @Order(5)
    void twoHundredSocketsAreOpenAtOnce() throws Exception {
        sh("(socat VSOCK-LISTEN:5001,fork,backlog=256 PIPE </dev/null >/run/socat3 2>&1 &)");
        List<HvSocket> open = new ArrayList<>();
        try {
            for (int i = 0; i < 200; i++) {
                open.add(connect(5001));
            }
            for (int i = 0; i < open.size(); i++) {
                OutputStream out = Channels.newOutputStream(open.get(i));
                out.write(("line " + i + "\n").getBytes(StandardCharsets.US_ASCII));
                out.flush();
            }
            for (int i = 0; i < open.size(); i++) {
                ByteBuffer answer = ByteBuffer.allocate(("line " + i + "\n").length());
                while (answer.hasRemaining() && open.get(i).read(answer) >= 0) {}
                assertThat(new String(answer.array(), StandardCharsets.US_ASCII))
                        .isEqualTo("line " + i + "\n");
            }
        } finally {
            for (HvSocket socket : open) {
                socket.close();
            }
        }
        sh("pkill socat");
    }

    @Test
    @Order(6)
    void timeIsSteppedAfterAPauseAndTheHeartbeatMissed() throws Exception {
        eventually("the heartbeat", () -> vm.integration().heartbeat().state() == HeartbeatService.State.OK);
        beats.clear();
        vm.pause();
        Thread.sleep(60_000);
        assertThat(vm.integration().heartbeat().state()).isEqualTo(HeartbeatService.State.LOST);
        assertThat(beats.poll(SOON.toSeconds(), TimeUnit.SECONDS))
                .as("an event")
                .isEqualTo(HeartbeatService.State.LOST);
        vm.resume();
        eventually("the guest's clock", () -> {
            Instant before = Instant.now();
            Instant guest = Instant.ofEpochMilli(Long.parseLong(sh("date +%s%3N")));
            return guest.isAfter(before.minusSeconds(2))
                    && guest.isBefore(Instant.now().plusSeconds(2));
        });
        eventually("the heartbeat", () -> vm.integration().heartbeat().state() == HeartbeatService.State.OK);
        assertThat(sh("dmesg | grep -iE 'soft lockup|rcu.*stall|clocksource.*unstable' || echo none"))
                .isEqualTo("none");
    }

    @Test
    @Tag("long")
    @Order(7)
    void aSecondKernelReconnectsByKexec() throws Exception {
        String first = sh("cat /proc/sys/kernel/random/boot_id");
        sh("kexec -l /boot/vmlinuz-* --initrd=$(ls /boot/initrd.img-*) --reuse-cmdline && "
                + "(setsid sh -c 'sleep 1; kexec -e' </dev/null >/dev/null 2>&1 &)");
        Thread.sleep(5000);
        vm.await(Wait.forShell(), BOOT);
        assertThat(sh("cat /proc/sys/kernel/random/boot_id")).isNotEqualTo(first);
        assertThat(sh("dmesg")).contains("Vmbus version:");
        eventually("the heartbeat", () -> vm.integration().heartbeat().state() == HeartbeatService.State.OK);
    }

    @Test
    @Order(4)
    void programsRunOverASocketThoughNobodyInstalledAnything() throws Exception {
        assertThat(sh("command -v javisor-agent")).as("an agent").isEmpty();
        String sum = sh("head -c 10485760 /dev/urandom >/run/r; sha256sum </run/r");
        byte[] random = vm.exec(ExecRequest.command("cat", "/run/r")
                        .timeout(Duration.ofSeconds(90))
                        .build())
                .stdout();
        assertThat(vm.execTransport()).contains(ExecTransport.SOCKET);
        assertThat(random).hasSize(10 << 20);
        assertThat(sum).startsWith(sha256(new ByteArrayInputStream(random)));
        assertThat(vm.exec("sh", "-c", "kill -INT $$; exit 1").exitCode())
                .as("interrupts are not ignored")
                .isEqualTo(130);
    }

    @Test
    @Order(8)
    void hibernationIsRefusedByAGuestThatCant() {
        assertThat(vm.integration().shutdown().request(ShutdownService.Kind.HIBERNATE, false, "sleep", SOON))
                .failsWithin(SOON.plusSeconds(5))
                .withThrowableOfType(ExecutionException.class)
                .withCauseInstanceOf(IntegrationException.class);
    }

    @Test
    @Order(9)
    void theShutdownServiceShutsTheGuestDown() {
        assertThat(vm.integration().shutdown().isReady()).isTrue();
        long begun = System.nanoTime();
        assertThat(vm.shutdown(Duration.ofMinutes(2))).isEqualTo(new Outcome.PoweredOff());
        System.out.println("shut down in " + (System.nanoTime() - begun) / 1_000_000 + " ms");
    }
}
