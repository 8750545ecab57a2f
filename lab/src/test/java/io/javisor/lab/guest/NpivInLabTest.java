package io.javisor.lab.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.api.FibreChannelSpec;
import io.javisor.api.MachineState;
import io.javisor.api.MemorySize;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.lab.LabFabric;
import io.javisor.lab.junit.LabTest;
import io.javisor.partition.HypervisorException;
import io.javisor.storage.disk.IoMemory;
import io.javisor.storage.fcoe.FabricPort;
import io.javisor.storage.fibrechannel.FabricLogin;
import io.javisor.storage.fibrechannel.FabricLogin.SeenUnit;
import io.javisor.storage.fibrechannel.HostPort;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.npiv.NpivSan;
import io.javisor.storage.scsi.CopyDomain;
import io.javisor.storage.scsi.RemotePort;
import io.javisor.storage.scsi.ScsiCommand;
import io.javisor.storage.scsi.ScsiResult;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Machines at a real fabric: the kernel's FCoE initiator and target, and the project's own switch between them. */
@Tag("long")
@LabTest(guests = "6.12-cloud", timeout = 600)
class NpivInLabTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    /** In which a login has looked at its units again. */
    private static final Duration FOLLOWED = Duration.ofMillis(2500);

    private static final int MIB = 1 << 20;
    private static final Wwn NODE = Wwn.of("c003ff0000ffff00");
    private static final Wwn PORT_A = Wwn.of("c003ff0000010000");
    private static final Wwn PORT_B = Wwn.of("c003ff0000010001");
    private static final Wwn OTHER = Wwn.of("c003ff0000020000");
    private static final Wwn THIRD = Wwn.of("c003ff0000030000");

    @SuppressWarnings("NullAway.Init") // set before all
    private static LabFabric fabric;

    @BeforeAll
    static void start() {
        fabric = LabFabric.start(2, List.of(64L * MIB, 32L * MIB));
        for (Wwn port : new Wwn[] {PORT_A, PORT_B}) {
            fabric.present(port, 3, 0);
            fabric.present(port, 7, 1);
        }
        fabric.present(OTHER, 0, 0);
        fabric.present(THIRD, 0, 0);
    }

    @AfterAll
    static void stop() {
        if (fabric != null) {
            fabric.close();
        }
    }

    @AfterEach
    void nothingIsLeft() {
        await("no virtual port is left", () -> virtualPorts().isEmpty());
        await("nor is a host of one", () -> HostPort.list(Path.of("/sys")).size() == 3);
    }

    private static List<Wwn> virtualPorts() {
        return fabric.fabric().ports().stream()
                .filter(FabricPort::virtual)
                .map(FabricPort::portName)
                .toList();
    }

    private static void await(String what, BooleanSupplier condition) {
        long begun = System.nanoTime();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - begun).as(what).isLessThan(PATIENCE.toNanos());
            try {
                Thread.sleep(100);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    private static FabricLogin login(NpivSan san, Wwn port, Runnable changed) {
        return san.login("", NODE, port, new CopyDomain(), changed);
    }

    private static void assertRefused(org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String code) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        HypervisorException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    /** Runs a command after the unit attentions that wait for the initiator. */
    private static ScsiResult run(RemotePort port, int lun, ScsiCommand command) {
        for (int i = 0; ; i++) {
            ScsiResult result = port.execute(lun, command);
            byte[] sense = result.senseData(32);
            boolean attention = sense.length > 12 && ((sense[0] & 0x7F) >= 0x72 ? sense[1] & 0xF : sense[2] & 0xF) == 6;
            if (!attention || i == 5) {
                return result;
            }
        }
    }

    private static byte[] cdb(String hex) {
        return HexFormat.of().parseHex(hex.replace(" ", ""));
    }

    private static byte[] random(int seed, int bytes) {
        byte[] all = new byte[bytes];
        new Random(seed).nextBytes(all);
        return all;
    }

    private static byte[] file(int unit, long at, int bytes) throws Exception {
        ByteBuffer into = ByteBuffer.allocate(bytes);
        try (FileChannel channel = FileChannel.open(fabric.file(unit))) {
            while (into.hasRemaining()) {
                channel.read(into, at + into.position());
            }
        }
        return into.array();
    }

    private static void fill(int unit, byte[] contents) throws Exception {
        try (FileChannel channel = FileChannel.open(fabric.file(unit), StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(contents), 0);
        }
    }

    @Test
    void commandsPassThroughAsTheyAre() throws Exception {
        byte[] contents = random(1, 2 * MIB);
        fill(0, contents);
        try (NpivSan san = NpivSan.open(fabric.adapter(0));
                FabricLogin one = login(san, PORT_A, () -> {});
                FabricLogin other = login(san, OTHER, () -> {})) {
            assertThat(virtualPorts()).containsExactlyInAnyOrder(PORT_A, OTHER);
            assertThat(one.seen()).extracting(SeenUnit::lun).containsExactly(3, 7);
            assertThat(other.seen()).extracting(SeenUnit::lun).containsExactly(0);
            assertThat(other.seen().getFirst().identity())
                    .startsWith("naa.6001405fc00")
                    .isEqualTo(one.seen().getFirst().identity());
            RemotePort port = Objects.requireNonNull(one.at(0, 0));
            RemotePort same = Objects.requireNonNull(other.at(0, 0));
            assertThat(one.at(0, 1)).isNull();
            assertThat(one.at(1, 0)).isNull();

            // Two megabytes at once, which the adapter does not take at once.
            IoMemory into = IoMemory.allocate(2 * MIB);
            ScsiResult read = run(port, 3, ScsiCommand.reading(cdb("28 00 00000000 00 1000 00"), into));
            assertThat(read.status()).isEqualTo(ScsiResult.GOOD);
            assertThat(read.transferred()).isEqualTo(2 * MIB);
            assertThat(into.toByteArray()).isEqualTo(contents);
            byte[] written = random(2, 2 * MIB);
            assertThat(run(
                                    port,
                                    3,
                                    ScsiCommand.writing(
                                            cdb("8A 00 0000000000001000 00001000 00 00"), IoMemory.of(written)))
                            .status())
                    .isEqualTo(ScsiResult.GOOD);
            assertThat(file(0, 2 * MIB, 2 * MIB)).isEqualTo(written);
            // How much less came than there was room for libfc does not tell the kernel; what came is there.
            IoMemory inquiry = IoMemory.allocate(512);
            assertThat(run(port, 3, ScsiCommand.reading(cdb("12 00 00 00FF 00"), inquiry))
                            .transferred())
                    .isBetween(36L, 512L);
            assertThat(new String(inquiry.toByteArray(), 8, 8, StandardCharsets.US_ASCII))
                    .isEqualTo("LIO-ORG ");
            // The device's own words of what is wrong: LOGICAL BLOCK ADDRESS OUT OF RANGE.
            ScsiResult beyond =
                    run(port, 3, ScsiCommand.reading(cdb("28 00 7FFFFFFF 00 0001 00"), IoMemory.allocate(512)));
            assertThat(beyond.status()).isEqualTo(ScsiResult.CHECK_CONDITION);
            assertThat(HexFormat.of().formatHex(beyond.senseData(20))).containsPattern("^7[02].*2100|^7205");
            // Not passed: firmware, and what names other units.
            assertThat(run(port, 3, ScsiCommand.writing(cdb("3B 05 00 000000 000200 00"), IoMemory.allocate(512)))
                            .senseData(20)[12])
                    .isEqualTo((byte) 0x20);
            // The list is what there is.
            IoMemory list = IoMemory.allocate(64);
            assertThat(run(port, 3, ScsiCommand.reading(cdb("A0 00 00 000000 00000040 00 00"), list))
                            .transferred())
                    .isEqualTo(24);
            assertThat(HexFormat.of().formatHex(list.toByteArray())).contains("0003000000000000" + "0007000000000000");

            reserves(port, same);
            assertRefused(() -> login(san, PORT_A, () -> {}), "fc-name-in-use");
            assertRefused(() -> login(san, fabric.targetName(), () -> {}), "fc-name-in-use");
        }
    }

    /** A reservation is the name's that made it. */
    private static void reserves(RemotePort port, RemotePort other) {
        byte[] register = new byte[24];
        register[15] = 0x11;
        assertThat(run(port, 3, ScsiCommand.writing(cdb("5F 06 00 0000 00000018 00"), IoMemory.of(register)))
                        .status())
                .isEqualTo(ScsiResult.GOOD);
        byte[] reserve = new byte[24];
        reserve[7] = 0x11;
        assertThat(run(port, 3, ScsiCommand.writing(cdb("5F 01 01 0000 00000018 00"), IoMemory.of(reserve)))
                        .status())
                .isEqualTo(ScsiResult.GOOD);
        byte[] block = new byte[512];
        ScsiResult refused = run(other, 0, ScsiCommand.writing(cdb("2A 00 00010000 00 0001 00"), IoMemory.of(block)));
        assertThat(refused.status())
                .as("sense data %s", HexFormat.of().formatHex(refused.senseData(20)))
                .isEqualTo(ScsiResult.RESERVATION_CONFLICT);
        assertThat(run(port, 3, ScsiCommand.writing(cdb("5F 03 00 0000 00000018 00"), IoMemory.of(reserve)))
                        .status())
                .as("cleared")
                .isEqualTo(ScsiResult.GOOD);
        assertThat(run(other, 0, ScsiCommand.writing(cdb("2A 00 00010000 00 0001 00"), IoMemory.of(block)))
                        .status())
                .isEqualTo(ScsiResult.GOOD);
    }

    /** Linux makes a disk's devices one after the other, and looks at it, while commands come already. */
    @Test
    void aDiskTakesWritesFromTheLoginOn() {
        byte[] block = random(6, 512);
        for (int i = 0; i < 6; i++) {
            try (NpivSan san = NpivSan.open(fabric.adapter(0));
                    FabricLogin login = login(san, OTHER, () -> {})) {
                RemotePort port = Objects.requireNonNull(login.at(0, 0));
                long begun = System.nanoTime();
                do {
                    ScsiResult wrote =
                            run(port, 0, ScsiCommand.writing(cdb("2A 00 00010000 00 0001 00"), IoMemory.of(block)));
                    assertThat(wrote.status())
                            .as("login %d, sense data %s", i, HexFormat.of().formatHex(wrote.senseData(20)))
                            .isEqualTo(ScsiResult.GOOD);
                } while (System.nanoTime() - begun < FOLLOWED.toNanos());
            }
        }
    }

    @Test
    void zonesAndMasksAreFollowed() throws Exception {
        fabric.fabric().zones(zones -> zones.set("third", Set.of(THIRD, Wwn.of("c003ff00000f0000"))));
        var told = new Semaphore(0);
        try (NpivSan san = NpivSan.open(fabric.adapter(0));
                FabricLogin login = login(san, THIRD, told::release)) {
            assertThat(login.seen()).as("it is in a zone without a target").isEmpty();
            fabric.fabric().zones(zones -> zones.remove("third"));
            await("the unit comes", () -> !login.seen().isEmpty());
            told.acquire();
            fabric.present(THIRD, 5, 1);
            await("another comes", () -> login.seen().size() == 2);
            fabric.hide(THIRD, 0);
            await(
                    "one goes",
                    () -> login.seen().stream().map(SeenUnit::lun).toList().equals(List.of(5)));
            assertThat(told.availablePermits()).isPositive();
            fabric.present(THIRD, 0, 0);
            await("and is back", () -> login.seen().size() == 2);
            fabric.hide(THIRD, 5);
            await("the other goes", () -> login.seen().size() == 1);
        } finally {
            fabric.fabric().zones(zones -> zones.remove("third"));
        }
    }

    @Test
    void aPortThatACrashLeftIsDeletedByTheNext() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Crashing.class.getName(),
                        fabric.adapter(0),
                        OTHER.hex())
                .redirectErrorStream(true)
                .start();
        try (var said = process.inputReader()) {
            assertThat(said.readLine()).isEqualTo("in");
            assertThat(virtualPorts()).containsExactly(OTHER);
            try (NpivSan san = NpivSan.open(fabric.adapter(0))) {
                assertRefused(() -> login(san, OTHER, () -> {}), "fc-name-in-use");
            }
            process.destroyForcibly().waitFor();
            assertThat(virtualPorts()).containsExactly(OTHER);
            NpivSan.open(fabric.adapter(0)).close();
            await("the port is gone", () -> virtualPorts().isEmpty());
        } finally {
            process.destroyForcibly();
        }
    }

    /** Logs in, and stays until it is killed. */
    static final class Crashing {
        private Crashing() {}

        public static void main(String[] arguments) throws Exception {
            NpivSan san = NpivSan.open(arguments[0]);
            login(san, Wwn.of(arguments[1]), () -> {});
            System.out.println("in");
            Thread.sleep(Duration.ofMinutes(10));
        }
    }

    private static String device(GuestShell guest, int lun) {
        return guest.run("for i in $(seq 900); do for d in /sys/bus/scsi/devices/*:0:0:" + lun + "/block/*; do"
                + " [ -e $d ] && [ -b /dev/${d##*/} ] && echo ${d##*/} && exit; done; sleep 0.1; done; exit 1");
    }

    private static String read(String disk) {
        return "echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/" + disk + " bs=64k count=16 2>/tmp/said | sha256sum";
    }

    private static VirtualMachine machine() {
        return machine(f -> f.npiv(fabric.adapter(0)));
    }

    private static VirtualMachine machine(Consumer<FibreChannelSpec.Builder> at) {
        return VirtualMachine.builder("npiv")
                .memory(MemorySize.mib(256))
                .vcpus(2)
                .linux(l -> l.debian("6.12-cloud"))
                .fibreChannel(f -> at.accept(f.setA(NODE, PORT_A).setB(NODE, PORT_B)))
                .build();
    }

    private static String sum(byte[] contents) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(contents)) + "  -";
    }

    /** Where the machine's port is logged in: the number of the adapter. */
    private static int place() {
        List<FabricPort> ports =
                fabric.fabric().ports().stream().filter(FabricPort::virtual).toList();
        assertThat(ports).singleElement().extracting(FabricPort::portName).isEqualTo(PORT_A);
        return ports.getFirst().link();
    }

    @Test
    void aSavedMachineIsAtItsHostsFabricAgain(@TempDir Path folder) throws Exception {
        byte[] contents = random(4, MIB);
        fill(0, contents);
        Path state = folder.resolve("state");
        try (VirtualMachine vm = machine()) {
            vm.start().await(Wait.forShell(), PATIENCE);
            var guest = new GuestShell(vm);
            assertThat(guest.run(read(device(guest, 3)))).isEqualTo(sum(contents));
            guest.run("head -c 65536 /dev/urandom >/tmp/p; dd if=/tmp/p of=/dev/" + device(guest, 7)
                    + " bs=64k seek=5 conv=fsync 2>/dev/null; echo kept >/tmp/kept");
            vm.save(state);
        }
        assertThat(virtualPorts()).isEmpty();
        try (VirtualMachine vm = VirtualMachine.restore(state)) {
            assertThat(place()).isZero();
            vm.resume();
            var guest = new GuestShell(vm);
            assertThat(guest.run("cat /tmp/kept")).isEqualTo("kept");
            assertThat(guest.run(read(device(guest, 3)))).isEqualTo(sum(contents));
            guest.run("dd if=/dev/" + device(guest, 7) + " bs=64k skip=5 count=1 2>/dev/null | cmp - /tmp/p");
            vm.kill();
        }
    }

    /** Two adapters of one kernel, each with its own login at the fabric. */
    @Test
    void aSavedMachineGoesOnAtAnotherAdapterUnderItsName(@TempDir Path folder) throws Exception {
        byte[] contents = random(5, MIB);
        fill(0, contents);
        Path state = folder.resolve("state");
        try (NpivSan here = NpivSan.open(fabric.adapter(0));
                VirtualMachine vm = machine(f -> f.connect(here))) {
            vm.start().await(Wait.forShell(), PATIENCE);
            assertThat(place()).isZero();
            var guest = new GuestShell(vm);
            assertThat(guest.run(read(device(guest, 3)))).isEqualTo(sum(contents));
            device(guest, 7);
            vm.save(state);
        }
        assertThat(virtualPorts()).isEmpty();
        try (NpivSan there = NpivSan.open(fabric.adapter(1));
                VirtualMachine vm = VirtualMachine.restore(state)) {
            assertThat(vm.state()).isEqualTo(MachineState.PAUSED);
            vm.fibreChannel().adapter(0).connect(there, "");
            vm.resume();
            assertThat(place()).isEqualTo(1);
            var guest = new GuestShell(vm);
            assertThat(guest.run(read(device(guest, 3)))).isEqualTo(sum(contents));
            assertThat(guest.run("head -c 1048576 /dev/urandom >/tmp/p; dd if=/tmp/p of=/dev/" + device(guest, 7)
                            + " bs=1M seek=3 conv=fsync 2>/dev/null; sha256sum </tmp/p"))
                    .isEqualTo(sum(file(1, 3 * MIB, MIB)));
            vm.kill();
        }
    }

    @Test
    void aUnitGoesAndComesBackWhileTheGuestRuns() {
        try (VirtualMachine vm = machine()) {
            vm.start().await(Wait.forShell(), PATIENCE);
            var guest = new GuestShell(vm);
            String second = device(guest, 7);
            fabric.hide(PORT_A, 7);
            guest.run("for i in $(seq 900); do [ -e /sys/block/" + second + " ] || exit 0; sleep 0.1; done; exit 1");
            fabric.present(PORT_A, 7, 1);
            device(guest, 7);
            vm.kill();
        }
    }

    @Test
    void aGuestIsAtTheFabricByItsOwnName() throws Exception {
        byte[] contents = random(3, MIB);
        fill(0, contents);
        String expected = sum(contents);
        try (VirtualMachine vm = machine()) {
            vm.start().await(Wait.forShell(), PATIENCE);
            var guest = new GuestShell(vm);
            assertThat(guest.run("cat /sys/class/fc_host/host*/port_name")).isEqualTo("0x" + PORT_A.hex());
            assertThat(fabric.fabric().ports())
                    .filteredOn(FabricPort::virtual)
                    .singleElement()
                    .satisfies(port -> {
                        assertThat(port.portName()).isEqualTo(PORT_A);
                        assertThat(port.nodeName()).isEqualTo(NODE);
                        assertThat(port.initiator()).isTrue();
                    });
            String disk = device(guest, 3);
            String second = device(guest, 7);
            assertThat(guest.run(
                            "for d in /sys/bus/scsi/devices/[0-9]*:*:*:*; do d=${d##*/}; echo ${d#*:}; done | sort"))
                    .isEqualTo("0:0:3\n0:0:7");
            assertThat(guest.run("cat /sys/block/" + disk + "/device/wwid")).startsWith("naa.6001405fc00");
            assertThat(guest.run("cat /sys/block/" + disk + "/size")).isEqualTo(Integer.toString(64 * MIB / 512));
            assertThat(guest.run(read(disk))).isEqualTo(expected);
            String wrote = guest.run("head -c 1048576 /dev/urandom >/tmp/p; dd if=/tmp/p of=/dev/" + second
                    + " bs=1M seek=7 conv=fsync 2>/dev/null; sha256sum </tmp/p");
            assertThat(wrote)
                    .startsWith(HexFormat.of()
                            .formatHex(MessageDigest.getInstance("SHA-256").digest(file(1, 7 * MIB, MIB))));

            // The cable is pulled: errors or a wait, and the disk stays. It is put back: all goes on.
            fabric.plug(0, false);
            await("logged out", () -> virtualPorts().isEmpty());
            fabric.plug(0, true);
            await("logged in", () -> virtualPorts().equals(List.of(PORT_A)));
            guest.run("for i in $(seq 60); do [ \"$(" + read(disk) + ")\" = '" + expected
                    + "' ] && exit; sleep 1; done; cat /tmp/said; exit 1");
            assertThat(guest.run("cat /sys/block/" + disk + "/device/state")).isEqualTo("running");

            vm.fibreChannel().adapter(0).activate(io.javisor.storage.fibrechannel.WwnSet.B);
            assertThat(virtualPorts()).containsExactly(PORT_B);
            assertThat(guest.run(read(disk))).isEqualTo(expected);
            vm.kill();
        }
    }
}
