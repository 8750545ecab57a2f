package io.javisor.lab.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.NetworkSpec;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.api.exec.ExecRequest;
import io.javisor.lab.junit.LabTest;
import io.javisor.networking.uplink.Macvtap;
import io.javisor.networking.user.UserNetworkSpec;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Stock guests behind the ways out: 256 MiB over HTTP from a server on the lab's own stack, through a TAP interface of several queues
 * and through the user-mode network; macvtap and packet sockets on a veth pair; what ethtool says of the adapter.
 */
@Tag("long")
@LabTest(
        guests = {"6.1-cloud", "6.12-cloud"},
        packages = "ethtool",
        timeout = 900)
class UplinksInGuestTest {
    private static final Duration PATIENCE = Duration.ofMinutes(4);
    private static final long BYTES = 256L << 20;

    private static String sh(VirtualMachine vm, String command) {
        return vm.exec(ExecRequest.command("sh", "-c", command)
                        .timeout(Duration.ofMinutes(8))
                        .build())
                .orThrow()
                .stdoutText()
                .strip();
    }

    private static void host(String command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("sh", "-ec", command)
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(command + ": " + said).isZero();
    }

    private static VirtualMachine guest(String kernel, NetworkSpec... networks) {
        var builder = VirtualMachine.builder("uplink").vcpus(2).linux(l -> l.debian(kernel));
        for (NetworkSpec network : networks) {
            builder.network(network);
        }
        VirtualMachine vm = builder.build();
        vm.start().await(Wait.forShell(), PATIENCE);
        return vm;
    }

    @ParameterizedTest
    @ValueSource(strings = {"6.1-cloud", "6.12-cloud"})
    void muchGoesThroughATapInterface(String kernel) throws Exception {
        host("modprobe tun");
        try (VirtualMachine vm = guest(kernel, NetworkSpec.tap("tap7", 2))) {
            host("ip addr add 198.18.7.1/24 dev tap7; ip link set tap7 up");
            sh(vm, "ip addr add 198.18.7.2/24 dev eth0; ip link set eth0 up");
            assertThat(sh(vm, "ping -c 3 -W 30 198.18.7.1")).contains(" 0% packet loss");
            try (var server = new FileServer(InetAddress.ofLiteral("198.18.7.1"))) {
                String url = "http://198.18.7.1:" + server.port() + "/bytes/" + BYTES;
                assertThat(sh(vm, "wget -q -O - " + url + " | sha256sum")).startsWith(FileServer.sum(BYTES));
            }
            sh(vm, "mkdir /tmp/www; uname -r >/tmp/www/index.html; httpd -p 80 -h /tmp/www");
            try (var in = URI.create("http://198.18.7.2/index.html").toURL().openStream()) {
                assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8))
                        .contains("cloud");
            }
        }
        assertThat(Path.of("/sys/class/net/tap7")).doesNotExist();
    }

    private static long received(VirtualMachine vm) {
        return Long.parseLong(sh(vm, "cat /sys/class/net/eth0/statistics/rx_packets"));
    }

    /** The host's kernel sends TCP in large packets, which a guest that has its LRO on is given as they are. */
    @ParameterizedTest
    @ValueSource(strings = {"6.1-cloud", "6.12-cloud"})
    void largePacketsReachGuestsThatTakeThem(String kernel) throws Exception {
        long bytes = BYTES / 8;
        var programs = GuestPrograms.of(Set.of("ethtool"), Set.of("ethtool"));
        host("modprobe tun");
        try (VirtualMachine vm = guest(kernel, NetworkSpec.tap("tap7"))) {
            host("ip addr add 198.18.7.1/24 dev tap7; ip link set tap7 up");
            sh(vm, "ip addr add 198.18.7.2/24 dev eth0; ip link set eth0 up");
            programs.into(vm);
            assertThat(sh(vm, "ethtool -K eth0 lro off; ethtool -K eth0 lro on; ethtool -k eth0"))
                    .contains("large-receive-offload: on");
            try (var server = new FileServer(InetAddress.ofLiteral("198.18.7.1"))) {
                long before = received(vm);
                String url = "http://198.18.7.1:" + server.port() + "/bytes/" + bytes;
                assertThat(sh(vm, "wget -q -O - " + url + " | sha256sum")).startsWith(FileServer.sum(bytes));
                assertThat(received(vm) - before)
                        .as("packets, as the guest counts them")
                        .isLessThan(bytes / 1448 / 2);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"6.1-cloud", "6.12-cloud"})
    void muchGoesThroughTheUserModeNetwork(String kernel) throws Exception {
        try (var server = new FileServer(InetAddress.getLoopbackAddress());
                VirtualMachine vm = guest(kernel, NetworkSpec.user(UserNetworkSpec.DEFAULT.withHostLoopback()))) {
            String url = "http://10.0.2.2:" + server.port() + "/bytes/" + BYTES;
            assertThat(sh(vm, "wget -q -O - " + url + " | sha256sum")).startsWith(FileServer.sum(BYTES));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"6.1-cloud", "6.12-cloud"})
    void aGuestHasIpv6AndEthtoolSaysWhatItsAdapterCan(String kernel) throws Exception {
        var programs = GuestPrograms.of(Set.of("ethtool"), Set.of("ethtool"));
        try (VirtualMachine vm = guest(kernel, NetworkSpec.user(UserNetworkSpec.DEFAULT.forward(0, 80)))) {
            // Over IPv6 too, by the addresses that the guest has made itself.
            assertThat(
                            sh(
                                    vm,
                                    "for i in $(seq 60); do ip -6 addr show eth0 | grep -q 'fd4a:5600:2:.*scope global *$\\|"
                                            + "fd4a:5600:2:.*dynamic' && break; sleep 1; done; ip -6 addr show eth0; ip -6 route"))
                    .contains("fd4a:5600:2:")
                    .contains("default via fe80::2");
            assertThat(sh(vm, "ping -6 -c 3 -W 30 fd4a:5600:2::2")).contains(" 0% packet loss");
            programs.into(vm);
            offloads(vm);
            sh(vm, "httpd -p 80 -h /usr/bin");
            int door = vm.network().adapter(0).forwards().getFirst().getPort();
            URI served = URI.create("http://127.0.0.1:" + door + "/ethtool");
            try (var in = served.toURL().openStream()) {
                String sum = HexFormat.of()
                        .formatHex(MessageDigest.getInstance("SHA-256").digest(in.readAllBytes()));
                assertThat(sh(vm, "sha256sum /usr/bin/ethtool")).startsWith(sum);
            }
        }
    }

    /** What the driver says of itself. */
    private static void offloads(VirtualMachine vm) {
        assertThat(sh(vm, "ethtool -k eth0"))
                .contains("tx-checksum-ipv4: on", "tx-checksum-ipv6: on", "rx-checksumming: on", "scatter-gather: on")
                .contains("tx-tcp-segmentation: on", "tx-tcp6-segmentation: on");
        assertThat(sh(vm, "ethtool -l eth0").replaceAll("\\s+", " ")).contains("Combined: 2");
        assertThat(sh(vm, "ethtool -S eth0")).contains("tx_queue_1_packets", "rx_queue_1_packets");
        assertThat(sh(vm, "ethtool -i eth0")).contains("driver: hv_netvsc");
        assertThat(sh(vm, "ethtool -x eth0")).contains("RX flow hash indirection table");
    }

    @Test
    void aGuestIsOnTheNetworkOfAnInterface() throws Exception {
        host("modprobe veth; modprobe macvtap; ip link add near7 type veth peer name far7; ip link set near7 up;"
                + " ip netns add far7; ip link set far7 netns far7; ip -n far7 addr add 198.18.8.1/24 dev far7;"
                + " ip -n far7 link set far7 up");
        try (VirtualMachine vm =
                guest("6.12-cloud", NetworkSpec.macvtap(Macvtap.on("near7", "mv7"), 2), NetworkSpec.packet("near7"))) {
            sh(vm, "ip addr add 198.18.8.2/24 dev eth0; ip link set eth0 up");
            assertThat(sh(vm, "ping -c 3 -W 30 198.18.8.1")).contains(" 0% packet loss");
            assertThat(sh(vm, "ip neigh show 198.18.8.1")).contains("lladdr");
            sh(
                    vm,
                    "ip link set eth0 down; ip addr flush dev eth0; ip addr add 198.18.8.3/24 dev eth1; ip link set eth1 up");
            assertThat(sh(vm, "ping -c 3 -W 30 198.18.8.1")).contains(" 0% packet loss");
        } finally {
            host("ip netns del far7");
        }
        assertThat(Path.of("/sys/class/net/mv7")).doesNotExist();
    }
}
