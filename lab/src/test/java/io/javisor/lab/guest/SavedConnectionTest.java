package io.javisor.lab.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.NetworkSpec;
import io.javisor.api.SavedState;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.lab.junit.LabTest;
import io.javisor.networking.vswitch.SwitchPort;
import io.javisor.networking.vswitch.VirtualSwitch;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A connection between two guests on a switch goes on though one of them is saved and restored in the middle of it. */
@Tag("long")
@LabTest(guests = {"6.1-cloud", "6.12-cloud"})
class SavedConnectionTest {
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final int LINES = 200;
    private static final int STORM_LIMIT = 1000;

    private static String sh(VirtualMachine vm, String script) {
        return new GuestShell(vm).run(script);
    }

    private static VirtualMachine guest(String name, String kernel, VirtualSwitch lan, int host) {
        VirtualMachine vm = VirtualMachine.builder(name)
                .network(NetworkSpec.on(lan))
                .linux(l -> l.debian(kernel))
                .build();
        vm.start().await(Wait.forShell(), PATIENCE);
        sh(vm, "ip addr add 192.168.9." + host + "/24 dev eth0; ip link set eth0 up");
        return vm;
    }

    private static void awaitLines(VirtualMachine vm, int least) {
        sh(vm, "for i in $(seq 600); do [ $(wc -l </tmp/got) -ge " + least + " ] && exit; sleep 0.2; done; exit 1");
    }

    @Test
    void goesOn(@TempDir Path folder) {
        var lan = new VirtualSwitch("lan");
        Path state = folder.resolve("state");
        String changes;
        try (VirtualMachine receiver = guest("receiver", "6.1-cloud", lan, 2)) {
            try (VirtualMachine sender = guest("sender", "6.12-cloud", lan, 1)) {
                sh(receiver, "sleep 600 </dev/null 2>/dev/null | nc -l -p 99 >/tmp/got 2>/dev/null & sleep 1");
                sh(
                        sender,
                        "(i=0; while [ $i -lt " + LINES + " ]; do echo line $i; i=$((i+1)); sleep 0.1; done)"
                                + " | nc 192.168.9.2 99 >/dev/null 2>&1 &");
                awaitLines(receiver, 20);
                changes = sh(sender, "cat /sys/class/net/eth0/carrier_changes");
                SwitchPort port = sender.network().adapter(0).port().orElseThrow();
                port.change(port.settings().stormLimit(STORM_LIMIT)); // saved as it is, not as it was described
                sender.pause();
                sender.save(state);
            }
            int before = Integer.parseInt(sh(receiver, "wc -l </tmp/got"));
            assertThat(before).isBetween(20, LINES - 1);
            try (VirtualMachine sender = SavedState.open(state).on(lan).restore()) {
                sender.resume();
                awaitLines(receiver, LINES);
                assertThat(sh(receiver, "cat /tmp/got"))
                        .isEqualTo(IntStream.range(0, LINES)
                                .mapToObj(i -> "line " + i)
                                .collect(Collectors.joining("\n")));
                assertThat(sh(sender, "ip link show eth0")).contains("UP");
                assertThat(sh(sender, "cat /sys/class/net/eth0/carrier_changes"))
                        .as("the guest never saw its cable pulled")
                        .isEqualTo(changes);
                SwitchPort port = sender.network().adapter(0).port().orElseThrow();
                assertThat(port.settings().stormLimit()).isEqualTo(STORM_LIMIT);
            }
        }
    }
}
