package io.javisor.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.kvm.DebugSupport;
import io.javisor.kvm.Kvm;
import io.javisor.kvm.gdb.GdbServer;
import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A debugger's requests, over its protocol, to a guest of a hundred bytes. */
@Timeout(120)
class DebuggerTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    // Numbers of registers, as the target description orders them.
    private static final int RBX = 1;
    private static final int RCX = 2;
    private static final int R9 = 9;
    private static final int RIP = 16;
    private static final int XMM3 = 43;
    private static final int CR3 = 61;

    // TinyKernel's instructions.
    private static final long ENTRY = 0x10_0000;
    private static final long SECOND = ENTRY + 10;
    private static final long LOOP = ENTRY + 0x25;

    @TempDir
    private static Path kernel;

    @BeforeAll
    static void writeKernel() {
        TinyKernel.writeTo(kernel);
    }

    @BeforeEach
    void needsKvm() {
        TinyKernel.assumeKvm();
    }

    private static long register(GdbClient gdb, int number) throws IOException {
        return little(gdb.ask("p" + Integer.toHexString(number)));
    }

    private static long little(String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex);
        return ByteBuffer.wrap(java.util.Arrays.copyOf(bytes, 8))
                .order(ByteOrder.LITTLE_ENDIAN)
                .getLong();
    }

    private static String hex(long value) {
        return HexFormat.of()
                .formatHex(ByteBuffer.allocate(8)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(value)
                        .array());
    }

    private static GdbClient connect(GdbServer server) throws IOException {
        GdbClient gdb = new GdbClient(server.port());
        assertThat(gdb.ask("qSupported:swbreak+;hwbreak+;xmlRegisters=i386"))
                .contains("PacketSize=4000", "hwbreak+", "qXfer:features:read+");
        return gdb;
    }

    @Test
    void registersMemoryStepsAndBreakpointsFromTheFirstInstruction() throws Exception {
        try (VirtualMachine vm = TinyKernel.machine(kernel).build()) {
            GdbServer server = vm.debugger(0);
            vm.startUnderDebugger();
            try (GdbClient gdb = connect(server)) {
                assertThat(gdb.ask("?")).isEqualTo("T05thread:1;");
                assertThat(register(gdb, RIP)).isEqualTo(ENTRY);
                assertThat(gdb.ask("g").substring(RIP * 16, RIP * 16 + 16)).isEqualTo(hex(ENTRY));
                assertThat(register(gdb, CR3)).isNotZero();
                // mov rbx, 0xcbf29ce484222325
                assertThat(gdb.ask("m100000,a")).isEqualTo("48bb25232284e49cf2cb");

                softwareBreakpointWorksOrIsRefused(gdb);

                assertThat(gdb.ask("s")).isEqualTo("T05thread:1;");
                assertThat(register(gdb, RIP)).isEqualTo(SECOND);
                assertThat(register(gdb, RBX)).isEqualTo(0xCBF29CE484222325L);

                assertThat(gdb.ask("Z1," + Long.toHexString(LOOP) + ",1")).isEqualTo("OK");
                assertThat(gdb.ask("vCont;c")).isEqualTo("T05thread:1;hwbreak:;");
                assertThat(register(gdb, RIP)).isEqualTo(LOOP);
                assertThat(register(gdb, RCX)).isZero();
                assertThat(register(gdb, R9)).isEqualTo(0x20_0000);
                assertThat(gdb.ask("z1," + Long.toHexString(LOOP) + ",1")).isEqualTo("OK");

                // Close to the end of the sum, so that the guest is soon done.
                assertThat(gdb.ask("P2=" + hex(TinyKernel.STEPS - 16))).isEqualTo("OK");
                assertThat(register(gdb, RCX)).isEqualTo(TinyKernel.STEPS - 16);
                assertThat(gdb.ask("P2b=" + "0102030405060708090a0b0c0d0e0f10")).isEqualTo("OK");
                assertThat(gdb.ask("p2b")).isEqualTo("0102030405060708090a0b0c0d0e0f10");
                assertThat(XMM3).isEqualTo(0x2b);
                assertThat(gdb.ask("c")).isEqualTo("W00");
                assertThat(gdb.isAtEnd()).isTrue();
            }
            assertThat(vm.awaitStop(PATIENCE)).isEqualTo(new Outcome.PoweredOff());
            // One dot of sixteen, then a sum.
            assertThat(vm.console().text()).startsWith(".=").hasSize(19);
        }
    }

    /** A breakpoint that this host's KVM would not report is not put into the guest. */
    private static void softwareBreakpointWorksOrIsRefused(GdbClient gdb) throws IOException {
        boolean works;
        try (Kvm kvm = Kvm.open()) {
            works = DebugSupport.probe(kvm).software();
        }
        String answer = gdb.ask("Z0," + Long.toHexString(SECOND) + ",1");
        if (works) {
            assertThat(answer).isEqualTo("OK");
            assertThat(gdb.ask("c")).isEqualTo("T05thread:1;swbreak:;");
            assertThat(register(gdb, RIP)).isEqualTo(SECOND);
            assertThat(gdb.ask("z0," + Long.toHexString(SECOND) + ",1")).isEqualTo("OK");
            assertThat(gdb.ask("P10=" + hex(ENTRY))).isEqualTo("OK");
        } else {
            assertThat(answer).startsWith("E.KVM of this host does not report INT3");
        }
        assertThat(gdb.ask("m100000,a")).isEqualTo("48bb25232284e49cf2cb");
        assertThat(register(gdb, RIP)).isEqualTo(ENTRY);
    }

    @Test
    void interruptsAndLetsTheGuestGoOn() throws Exception {
        try (VirtualMachine vm = TinyKernel.machine(kernel).build()) {
            GdbServer server = vm.debugger(0);
            vm.start().await(Wait.forConsole("."), PATIENCE);
            try (GdbClient gdb = connect(server)) {
                assertThat(gdb.ask("?")).startsWith("T05");
                long rcx = register(gdb, RCX);
                assertThat(register(gdb, RCX)).as("held").isEqualTo(rcx);
                gdb.send("c");
                gdb.raw("\003");
                assertThat(gdb.receive()).isEqualTo("T02thread:1;");
                assertThat(register(gdb, RIP)).isBetween(ENTRY, ENTRY + 0x100);
                // The owner may pause, save or look at a machine that is held.
                vm.pause();
                vm.resume();
                assertThat(vm.registers()).hasSize(1);
                assertThat(gdb.ask("D")).isEqualTo("OK");
            }
            assertThat(vm.awaitStop(PATIENCE)).isEqualTo(new Outcome.PoweredOff());
            assertThat(vm.console().text()).isEqualTo(".".repeat(TinyKernel.DOTS) + TinyKernel.sum() + "\n");
        }
    }

    @Test
    void aDebuggerThatIsCutOffLeavesTheGuestRunningAndAnotherMayCome() throws Exception {
        try (VirtualMachine vm = TinyKernel.machine(kernel).build()) {
            GdbServer server = vm.debugger(0);
            vm.startUnderDebugger();
            try (GdbClient gdb = connect(server)) {
                assertThat(gdb.ask("Z1," + Long.toHexString(LOOP) + ",1")).isEqualTo("OK");
            }
            try (GdbClient gdb = connect(server)) {
                assertThat(register(gdb, RCX)).isNotNegative();
                assertThat(gdb.ask("D")).isEqualTo("OK");
            }
            assertThat(vm.awaitStop(PATIENCE)).isEqualTo(new Outcome.PoweredOff());
            assertThat(vm.console().text()).endsWith(TinyKernel.sum() + "\n");
        }
    }

    @Test
    void vcpusAreThreads() throws Exception {
        try (VirtualMachine vm = TinyKernel.machine(kernel).vcpus(3).build()) {
            GdbServer server = vm.debugger(0);
            vm.startUnderDebugger();
            try (GdbClient gdb = connect(server)) {
                assertThat(gdb.ask("qfThreadInfo")).isEqualTo("m1,2,3");
                assertThat(gdb.ask("qsThreadInfo")).isEqualTo("l");
                assertThat(gdb.ask("T3")).isEqualTo("OK");
                assertThat(gdb.ask("T4")).isEqualTo("E03");
                assertThat(gdb.ask("Hg2")).isEqualTo("OK");
                assertThat(register(gdb, RIP))
                        .as("of one that waits to be woken")
                        .isNotEqualTo(ENTRY);
                String extra = gdb.ask("qThreadExtraInfo,2");
                assertThat(new String(HexFormat.of().parseHex(extra), StandardCharsets.UTF_8))
                        .isEqualTo("vCPU 1, uninitialized");
                assertThat(gdb.ask("Hg1")).isEqualTo("OK");
                assertThat(register(gdb, RIP)).isEqualTo(ENTRY);
                assertThat(gdb.ask("vCont;s:1")).isEqualTo("T05thread:1;");
                assertThat(register(gdb, RIP)).isEqualTo(SECOND);
                assertThat(gdb.ask("vCont;s:1;c")).isEqualTo("T05thread:1;");
                assertThat(register(gdb, RIP)).isEqualTo(SECOND + 3);
                assertThat(gdb.ask("k")).isEqualTo("OK");
            }
            assertThat(vm.awaitStop(PATIENCE)).isEqualTo(new Outcome.Killed());
        }
    }

    @Test
    void whatMakesNoSenseGetsAnErrorAndHarmsNothing() throws Exception {
        try (VirtualMachine vm = TinyKernel.machine(kernel).build()) {
            GdbServer server = vm.debugger(0);
            vm.startUnderDebugger();
            try (GdbClient gdb = connect(server)) {
                for (String nonsense : new String[] {
                    "m",
                    "m1",
                    "mzz,1",
                    "M100000,2:00",
                    "X1",
                    "P2",
                    "P2=00",
                    "pff",
                    "G00",
                    "Z1,100000",
                    "Z2,100001,2",
                    "Hx1",
                    "H",
                    "vCont;x",
                    "vCont;",
                    "qXfer:features:read:target.xml:0",
                    "qThreadExtraInfo,",
                    "qRcmd,0",
                }) {
                    assertThat(gdb.ask(nonsense)).as(nonsense).matches("E[0-9a-f]{2}");
                }
                assertThat(gdb.ask("mffffffffffff0000,8")).isEqualTo("E0e");
                assertThat(gdb.ask("vMustReplyEmpty")).isEmpty();
                for (int i = 0; i < 4; i++) {
                    assertThat(gdb.ask("Z1," + (1000 + i) + ",1")).isEqualTo("OK");
                }
                assertThat(gdb.ask("Z1,2000,1")).as("a fifth").isEqualTo("E1c");
                gdb.raw("$g#00"); // a wrong checksum
                assertThat(gdb.next()).isEqualTo('-');
                assertThat(register(gdb, RIP)).isEqualTo(ENTRY);
                gdb.raw("$" + "g".repeat(0x5000)); // without end
                assertThat(gdb.isAtEnd()).isTrue();
            } catch (java.net.SocketException e) {
                assertThat(e).hasMessageContaining("reset"); // the rest of the long packet had nobody to read it
            }
            assertThat(vm.awaitStop(PATIENCE)).isEqualTo(new Outcome.PoweredOff());
        }
    }

    @Test
    void targetDescriptionComesInParts() throws Exception {
        try (VirtualMachine vm = TinyKernel.machine(kernel).build()) {
            GdbServer server = vm.debugger(0);
            vm.startUnderDebugger();
            try (GdbClient gdb = connect(server)) {
                StringBuilder xml = new StringBuilder();
                String part;
                do {
                    part = gdb.ask("qXfer:features:read:target.xml:" + Integer.toHexString(xml.length()) + ",7f0");
                    xml.append(part, 1, part.length());
                } while (part.startsWith("m"));
                assertThat(xml).startsWith("<?xml").endsWith("</target>\n").contains("\"rip\"", "\"xmm15\"", "\"cr3\"");
                int bits = java.util.regex.Pattern.compile("bitsize=\"(\\d+)\"")
                        .matcher(xml)
                        .results()
                        .mapToInt(m -> Integer.parseInt(m.group(1)))
                        .sum();
                assertThat(gdb.ask("g")).hasSize(bits / 4);
            }
        }
    }

    @Test
    @SuppressWarnings("try") // closed early, which is the point
    void refusalsSayWhy() throws Exception {
        try (VirtualMachine vm = TinyKernel.machine(kernel).build();
                ServerSocket taken = new ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress())) {
            assertThatThrownBy(vm::startUnderDebugger)
                    .isInstanceOfSatisfying(
                            HypervisorException.class, e -> assertThat(e.code()).isEqualTo("no-debugger"));
            assertThatThrownBy(() -> vm.debugger(taken.getLocalPort()))
                    .isInstanceOfSatisfying(
                            HypervisorException.class, e -> assertThat(e.code()).isEqualTo("gdb-port"));
            assertThatThrownBy(() -> vm.debugger(70_000)).isInstanceOf(HypervisorException.class);
            GdbServer server = vm.debugger(0);
            try (GdbClient early = new GdbClient(server.port())) {
                assertThat(early.isAtEnd()).as("nothing runs yet").isTrue();
            }
            vm.close();
            assertThatThrownBy(() -> new GdbClient(server.port())).isInstanceOf(IOException.class);
            assertThatThrownBy(() -> vm.debugger(0))
                    .isInstanceOfSatisfying(
                            HypervisorException.class, e -> assertThat(e.code()).isEqualTo("closed"));
        }
    }
}
