package io.javisor.lab.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.MemorySize;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.boot.debian.DebianPackages;
import io.javisor.lab.Lab;
import io.javisor.lab.LabCable;
import io.javisor.lab.LabCommand;
import io.javisor.lab.LabFabric;
import io.javisor.lab.LabProcess;
import io.javisor.lab.LabSpec;
import io.javisor.storage.fcoe.FabricPort;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.npiv.NpivSan;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two labs, each a host with a kernel and an adapter of its own, at one fabric: the switch and the target are in the first, and a cable
 * (frames between the two QEMUs) leads to the second. A machine is saved on the first and goes on on the second, under its name.
 */
@Tag("lab")
@Tag("long")
class NpivBetweenHostsTest {
    private static final Duration PATIENCE = Duration.ofMinutes(4);
    private static final int MIB = 1 << 20;
    private static final Wwn NODE = Wwn.of("c003ff0000ffff00");
    private static final Wwn PORT = Wwn.of("c003ff0000010000");
    private static final int LUN = 3;
    /** On the switch after the cables of the first host's adapter and of the target's. */
    private static final int CABLE = 2;

    @TempDir
    private Path folder;

    private LabSpec spec(String name, LabCable end) {
        return LabSpec.of(l -> l.nodes(1)
                .vcpus(1)
                .memoryPerNode(1536L * MIB)
                .writable(folder)
                .console(Path.of("target/lab/console-npiv-" + name + ".log"))
                .cable(end));
    }

    private LabCommand program(Class<?> program, LabCable end) {
        return LabCommand.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                program.getName(),
                folder.resolve("state").toString(),
                end.mac());
    }

    @Test
    @Timeout(value = 20, unit = TimeUnit.MINUTES)
    void aMachineMovesFromOneHostToAnotherUnderItsName() throws Exception {
        DebianPackages.open().kernel("6.12-cloud"); // there is no network inside
        List<LabCable> cable = LabCable.ends();
        try (Lab one = Lab.start(spec("one", cable.getFirst()));
                Lab two = Lab.start(spec("two", cable.getLast()));
                var here = new Said(one.start(program(First.class, cable.getFirst())))) {
            assertThat(here.line()).as("logged in at the first host's adapter").isEqualTo(PORT.hex() + "@0");
            String written = here.line();
            assertThat(written).matches("[0-9a-f]{64}");
            assertThat(here.line()).isEqualTo("saved");
            assertThat(here.ask("where")).as("logged out").isEmpty();
            assertThat(here.ask("sum")).isEqualTo(written);
            try (var there = new Said(two.start(program(Second.class, cable.getLast())))) {
                assertThat(there.line())
                        .as("the guest finds what it wrote before it moved")
                        .isEqualTo(written);
                assertThat(here.ask("where")).as("behind the cable").isEqualTo(PORT.hex() + "@" + CABLE);
                String changed = there.ask("write");
                assertThat(changed).matches("[0-9a-f]{64}").isNotEqualTo(written);
                assertThat(here.ask("sum")).isEqualTo(changed);
                assertThat(there.ask("end")).isEqualTo("ended");
            }
            assertThat(here.ask("where")).isEmpty();
        }
    }

    /** A program in a lab, by lines. */
    private static final class Said implements AutoCloseable {
        private final LabProcess process;
        private final BufferedReader from;
        private final Writer to;

        Said(LabProcess process) {
            this.process = process;
            from = process.inputReader();
            to = process.outputWriter();
            Thread.ofVirtual().start(() -> {
                try {
                    process.getErrorStream().transferTo(System.err);
                } catch (IOException e) {
                    // it has ended
                }
            });
        }

        String line() throws IOException {
            return String.valueOf(from.readLine());
        }

        String ask(String question) throws IOException {
            to.write(question + "\n");
            to.flush();
            return line();
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }
    }

    private static String device(GuestShell guest) {
        return guest.run("for i in $(seq 900); do for d in /sys/bus/scsi/devices/*:0:0:" + LUN + "/block/*; do"
                + " [ -b /dev/${d##*/} ] && echo /dev/${d##*/} && exit; done; sleep 0.1; done; exit 1");
    }

    private static String write(GuestShell guest) {
        return guest.run("head -c 1048576 /dev/urandom >/tmp/p; dd if=/tmp/p of=" + device(guest)
                        + " bs=1M conv=fsync 2>/dev/null; sha256sum </tmp/p")
                .substring(0, 64);
    }

    private static BufferedReader questions() {
        return new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    }

    /** The host that has the switch and the target, and the machine at first. */
    @SuppressWarnings("SystemOut") // a program's job
    static final class First {
        private First() {}

        public static void main(String[] arguments) throws Exception {
            try (LabFabric fabric = LabFabric.start(
                    1, List.of(16L * MIB), List.of(LabCable.find(arguments[1])), made -> made.present(PORT, LUN, 0))) {
                try (NpivSan san = NpivSan.open(fabric.adapter(0));
                        VirtualMachine vm = VirtualMachine.builder("moving")
                                .memory(MemorySize.mib(256))
                                .linux(l -> l.debian("6.12-cloud"))
                                .fibreChannel(
                                        f -> f.connect(san).setA(NODE, PORT).setB(NODE, new Wwn(PORT.value() + 1)))
                                .build()) {
                    vm.start().await(Wait.forShell(), PATIENCE);
                    System.out.println(where(fabric));
                    System.out.println(write(new GuestShell(vm)));
                    vm.save(Path.of(arguments[0]));
                }
                System.out.println("saved");
                BufferedReader questions = questions();
                for (String line; (line = questions.readLine()) != null; ) {
                    System.out.println(line.equals("where") ? where(fabric) : sum(fabric.file(0)));
                }
            }
        }

        private static String where(LabFabric fabric) {
            return String.join(
                    " ",
                    fabric.fabric().ports().stream()
                            .filter(FabricPort::virtual)
                            .map(port -> port.portName().hex() + "@" + port.link())
                            .toList());
        }

        private static String sum(Path unit) throws Exception {
            byte[] first = Arrays.copyOf(Files.readAllBytes(unit), MIB);
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(first));
        }
    }

    /** The host that the machine moves to. */
    @SuppressWarnings("SystemOut") // a program's job
    static final class Second {
        private Second() {}

        public static void main(String[] arguments) throws Exception {
            String adapter = LabFabric.join(LabCable.find(arguments[1]));
            try (NpivSan san = NpivSan.open(adapter);
                    VirtualMachine vm = VirtualMachine.restore(brought(Path.of(arguments[0])))) {
                vm.fibreChannel().adapter(0).connect(san, "");
                vm.resume();
                var guest = new GuestShell(vm);
                System.out.println(guest.run("echo 3 >/proc/sys/vm/drop_caches; dd if=" + device(guest)
                                + " bs=64k count=16 2>/dev/null | sha256sum")
                        .substring(0, 64));
                BufferedReader questions = questions();
                while ("write".equals(questions.readLine())) {
                    System.out.println(write(guest));
                }
                vm.kill();
            }
            System.out.println("ended");
        }

        /** Into this host's own memory: page by page, as the guest touches it, it would come slowly from the other's. */
        private static Path brought(Path state) throws IOException {
            Path own = Files.createTempDirectory(Path.of("/dev/shm"), "state-");
            try (Stream<Path> files = Files.list(state)) {
                for (Path file : files.toList()) {
                    Files.copy(file, own.resolve(file.getFileName()));
                }
            }
            return own;
        }
    }
}
