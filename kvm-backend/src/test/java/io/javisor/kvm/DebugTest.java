package io.javisor.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.javisor.kvm.GuestDebug.Breakpoint;
import io.javisor.kvm.GuestDebug.Kind;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DebugTest {
    private static final int[] CODE = {
        0x90, // 1000 nop
        0x90, // 1001 nop
        0xA2,
        0x00,
        0x20, // 1002 mov [0x2000], al
        0x90, // 1005 nop
        0xF4 // 1006 hlt
    };

    @Test
    void singleStepStopsAfterEachInstruction() {
        try (TinyGuest guest = new TinyGuest(CODE)) {
            guest.cpu.state().setGuestDebug(new GuestDebug(true, false, false, List.of()));
            for (long next : new long[] {0x1001, 0x1002, 0x1005}) {
                assertThat(guest.cpu.run()).isInstanceOfSatisfying(Exit.Debug.class, d -> {
                    assertThat(d.exception()).isEqualTo(1);
                    assertThat(d.pc()).isEqualTo(next);
                    // DR6.BS
                    assertThat(d.dr6() & 1 << 14).isNotZero();
                });
            }
            guest.cpu.state().setGuestDebug(GuestDebug.OFF);
            assertThat(guest.cpu.run()).isInstanceOf(Exit.Halt.class);
        }
    }

    @Test
    void softwareBreakpointStops() {
        try (TinyGuest guest = new TinyGuest(CODE)) {
            guest.ram.write(0x1001, (byte) 0xCC); // int3
            guest.handler(3, 0x2000, 0xF4); // hlt
            guest.cpu.state().setGuestDebug(new GuestDebug(false, true, false, List.of()));
            Exit exit = guest.cpu.run();
            assumeFalse(exit instanceof Exit.Halt, "this host's KVM emulates int3 instead of reporting it");
            assertThat(exit).isInstanceOfSatisfying(Exit.Debug.class, d -> {
                assertThat(d.exception()).isEqualTo(3);
                assertThat(d.pc()).isEqualTo(0x1001);
            });
        }
    }

    @Test
    void hardwareBreakpointStops() {
        try (TinyGuest guest = new TinyGuest(CODE)) {
            guest.cpu
                    .state()
                    .setGuestDebug(
                            new GuestDebug(false, false, false, List.of(new Breakpoint(0x1005, Kind.EXECUTE, 1))));
            assertThat(guest.cpu.run()).isInstanceOfSatisfying(Exit.Debug.class, d -> {
                assertThat(d.pc()).isEqualTo(0x1005);
                assertThat(d.dr6() & 0xF).isEqualTo(1);
            });
        }
    }

    @Test
    void debugRegistersAreEncodedAsTheProcessorWants() {
        GuestDebug debug = new GuestDebug(
                false,
                false,
                false,
                List.of(
                        new Breakpoint(0x10, Kind.EXECUTE, 1),
                        new Breakpoint(0x20, Kind.WRITE, 2),
                        new Breakpoint(0x30, Kind.ACCESS, 4),
                        new Breakpoint(0x40, Kind.WRITE, 8)));
        // G0–G3, bit 10; per breakpoint RW and LEN from bit 16 on: 0000, 0101, 1111, 1001
        assertThat(debug.dr7()).isEqualTo(0x9F50_04AAL);
        assertThatThrownBy(() -> new Breakpoint(0x11, Kind.WRITE, 2)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Breakpoint(0x10, Kind.EXECUTE, 2)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Breakpoint(0x12, Kind.WRITE, 3)).isInstanceOf(IllegalArgumentException.class);
    }
}
