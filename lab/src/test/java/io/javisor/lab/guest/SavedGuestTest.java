package io.javisor.lab.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.javisor.api.Outcome;
import io.javisor.api.SavedState;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.api.exec.ExecException;
import io.javisor.api.exec.ExecRequest;
import io.javisor.lab.junit.LabTest;
import io.javisor.vmbus.service.HeartbeatService;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A stock kernel is saved in the middle of its work, and goes on in another JVM as if nothing had been. */
@LabTest(guests = "6.12-cloud")
class SavedGuestTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int ROUNDS = 600;
    private static final int SLEEP = 15;

    /** A chain of checksums in one process, a timer in another, both ignorant of the shell that started them. */
    private static final String WORK = """
            (setsid sh -c 'i=0; h=begin; while [ $i -lt %d ]; do set -- $(echo $h | sha256sum); h=$1; i=$((i+1)); \
            echo $i >/tmp/round; done; echo $h >/tmp/chain') </dev/null >/dev/null 2>&1 &
            (setsid sh -c 'read a b </proc/uptime; sleep %d; read c d </proc/uptime; echo $a $c >/tmp/slept') \
            </dev/null >/dev/null 2>&1 &
            head -c 8000000 /dev/urandom >/tmp/data; sha256sum </tmp/data""".formatted(ROUNDS, SLEEP);

    @TempDir
    Path folder;

    private static String sh(VirtualMachine vm, String command) {
        return vm.exec("sh", "-c", command).stdoutText().strip();
    }

    private static String chain() throws Exception {
        String h = "begin";
        for (int i = 0; i < ROUNDS; i++) {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest((h + "\n").getBytes(StandardCharsets.US_ASCII));
            h = HexFormat.of().formatHex(digest);
        }
        return h;
    }

    private static Properties inAFreshJvm(Path state) throws Exception {
        List<String> words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                GoOn.class.getName(),
                state.toString()));
        Path seen = Files.createTempFile("seen", "");
        words.add(seen.toString());
        Process jvm = new ProcessBuilder(words).redirectErrorStream(true).start();
        String output = new String(jvm.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(jvm.waitFor()).as(output).isZero();
        System.out.println(output);
        Properties properties = new Properties();
        try (var in = Files.newBufferedReader(seen)) {
            properties.load(in);
        }
        return properties;
    }

    /** What the other JVM does: lets the machine go on, and writes down what its guest says. */
    static final class GoOn {
        public static void main(String[] arguments) throws Exception {
            Properties seen = new Properties();
            long begun = System.nanoTime();
            try (VirtualMachine vm = VirtualMachine.restore(Path.of(arguments[0]))) {
                vm.resume();
                System.out.println("restored after " + (System.nanoTime() - begun) / 1_000_000 + " ms");
                put(seen, vm, "uname", "uname -r");
                System.out.println("exec after " + (System.nanoTime() - begun) / 1_000_000 + " ms");
                put(seen, vm, "round", "cat /tmp/round");
                put(seen, vm, "data", "sha256sum </tmp/data");
                put(seen, vm, "left", "pgrep -f 'sleep 1234'");
                put(seen, vm, "clocksource", "cat /sys/devices/system/clocksource/clocksource0/current_clocksource");
                put(seen, vm, "chain", "until [ -e /tmp/chain ]; do sleep 1; done; cat /tmp/chain");
                put(seen, vm, "slept", "until [ -e /tmp/slept ]; do sleep 1; done; cat /tmp/slept");
                seen.setProperty("host", String.valueOf(System.currentTimeMillis() / 1000));
                put(seen, vm, "clock", "date +%s");
                put(
                        seen,
                        vm,
                        "both",
                        "for c in 0 1; do taskset -c $c sh -c 'echo cpu $(cat /proc/self/stat | cut -d\" \" -f39)'; done");
                put(seen, vm, "log", "dmesg");
                long deadline = System.nanoTime() + PATIENCE.toNanos();
                while (vm.integration().heartbeat().state() != HeartbeatService.State.OK
                        && System.nanoTime() < deadline) {
                    Thread.sleep(100);
                }
                seen.setProperty(
                        "heartbeat", vm.integration().heartbeat().state().name());
                seen.setProperty("end", vm.shutdown(PATIENCE).toString());
            }
            try (var out = Files.newBufferedWriter(Path.of(arguments[1]))) {
                seen.store(out, null);
            }
        }

        private static void put(Properties seen, VirtualMachine vm, String name, String command) {
            String answer = sh(vm, command);
            System.out.println(name + ": " + (name.equals("log") ? answer.length() + " characters" : answer));
            seen.setProperty(name, answer);
        }
    }

    @Test
    @SuppressWarnings("try") // closed early, which is the point
    void goesOnInTheMiddleOfItsWork() throws Exception {
        Path state = folder.resolve("state");
        String data;
        int round;
        int logged;
        try (VirtualMachine vm = VirtualMachine.builder("saved")
                .vcpus(2)
                .linux(l -> l.debian("6.12-cloud"))
                .build()) {
            vm.start().await(Wait.forShell(), PATIENCE);
            data = sh(vm, WORK);
            round = Integer.parseInt(sh(vm, "cat /tmp/round"));
            logged = sh(vm, "dmesg").length();
            var underWay = CompletableFuture.runAsync(() -> vm.exec(
                    ExecRequest.command("sleep", "1234").timeout(PATIENCE).build()));
            Thread.sleep(1_000);
            vm.pause();
            long begun = System.nanoTime();
            vm.save(state);
            System.out.println("saved in " + (System.nanoTime() - begun) / 1_000_000 + " ms, "
                    + (SavedState.open(state).filledBytes() >> 20) + " MiB, checked after "
                    + (System.nanoTime() - begun) / 1_000_000 + " ms");
            vm.close();
            assertThatThrownBy(() -> underWay.get(10, TimeUnit.SECONDS))
                    .cause()
                    .isInstanceOfSatisfying(
                            ExecException.class, e -> assertThat(e.code()).isEqualTo("exec-closed"));
        }
        Thread.sleep(15_000); // more than the guest's timer has left
        Properties seen = inAFreshJvm(state);

        assertThat(seen.getProperty("uname")).startsWith("6.12").contains("cloud");
        assertThat(Integer.parseInt(seen.getProperty("round"))).isBetween(round, ROUNDS);
        assertThat(seen.getProperty("data")).isEqualTo(data);
        assertThat(seen.getProperty("left"))
                .as("programs of the session before")
                .isEmpty();
        assertThat(seen.getProperty("chain")).isEqualTo(chain());
        assertThat(seen.getProperty("clocksource")).isEqualTo("hyperv_clocksource_tsc_page");
        String[] slept = seen.getProperty("slept").split(" ", -1);
        assertThat(Double.parseDouble(slept[1]) - Double.parseDouble(slept[0]))
                .as("the guest's own time of a sleep of " + SLEEP)
                .isCloseTo(SLEEP, within(5.0));
        assertThat(Long.parseLong(seen.getProperty("clock")))
                .as("the guest's clock")
                .isCloseTo(Long.parseLong(seen.getProperty("host")), within(5L));
        assertThat(seen.getProperty("both").lines()).containsExactly("cpu 0", "cpu 1");
        assertThat(seen.getProperty("log")
                        .substring(Math.min(logged, seen.getProperty("log").length())))
                .contains("crng reseeded due to virtual machine fork")
                .doesNotContainIgnoringCase("warning")
                .doesNotContain("BUG")
                .doesNotContain("stall")
                .doesNotContain("lockup")
                .doesNotContain("unstable")
                .doesNotContain("hung")
                .doesNotContain("hv_");
        assertThat(seen.getProperty("heartbeat")).isEqualTo("OK");
        assertThat(seen.getProperty("end")).isEqualTo(new Outcome.PoweredOff().toString());
        clonesDiffer(state);
    }

    /** The same state, twice at once: both guests answer, and their random numbers are not the same. */
    private static void clonesDiffer(Path folder) {
        SavedState state = SavedState.open(folder);
        try (VirtualMachine one = state.restoreAs("one");
                VirtualMachine two = state.restoreAs("two")) {
            one.resume();
            two.resume();
            String random = "cat /proc/sys/kernel/random/uuid";
            assertThat(sh(one, random)).hasSize(36).isNotEqualTo(sh(two, random));
            System.out.println("clones hold " + (one.residentBytes() >> 10) + " and " + (two.residentBytes() >> 10)
                    + " KiB of their own");
            assertThat(one.residentBytes()).isLessThan(state.filledBytes());
        }
    }
}
