package io.javisor.lab.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.NetworkSpec;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.lab.junit.LabTest;
import io.javisor.networking.extension.PcapngCapture;
import io.javisor.networking.frame.Frame;
import io.javisor.networking.vswitch.AccessRule;
import io.javisor.networking.vswitch.AccessRule.Action;
import io.javisor.networking.vswitch.AccessRule.Direction;
import io.javisor.networking.vswitch.Drop;
import io.javisor.networking.vswitch.PortSettings;
import io.javisor.networking.vswitch.PortSettings.Mirror;
import io.javisor.networking.vswitch.SwitchPort;
import io.javisor.networking.vswitch.VirtualSwitch;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** What the table in {@code docs/networking.md} says of three guests on a switch, seen by the guests' own programs. */
@Tag("long")
@LabTest(
        guests = {"6.1-cloud", "6.12-cloud"},
        packages = {"iperf3", "tcpdump", "iputils-arping", "dnsmasq-base"},
        timeout = 900)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SwitchInGuestsTest {
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final String ALL_LOST = "100% packet loss";
    private static final String NONE_LOST = " 0% packet loss";

    private final VirtualSwitch lan = new VirtualSwitch("lan");
    private final VirtualMachine first = guest("first", "6.12-cloud");
    private final VirtualMachine second = guest("second", "6.1-cloud");
    private final VirtualMachine third = guest("third", "6.12-cloud");

    private VirtualMachine guest(String name, String kernel) {
        return VirtualMachine.builder(name)
                .network(NetworkSpec.on(lan))
                .linux(l -> l.debian(kernel).modules("8021q", "af_packet"))
                .build();
    }

    @BeforeAll
    void start() throws Exception {
        var programs = GuestPrograms.of(
                Set.of("iperf3", "tcpdump", "iputils-arping", "dnsmasq-base"),
                Set.of("iperf3", "tcpdump", "arping", "dnsmasq"));
        first.start();
        second.start();
        third.start();
        int host = 1;
        for (VirtualMachine vm : new VirtualMachine[] {first, second, third}) {
            vm.await(Wait.forShell(), PATIENCE);
            programs.into(vm);
            sh(vm, "ip addr add 192.168.9." + host++ + "/24 dev eth0; ip link set lo up; ip link set eth0 up");
        }
    }

    @AfterAll
    void stop() {
        first.close();
        second.close();
        third.close();
    }

    @BeforeEach
    void forget() {
        for (VirtualMachine vm : new VirtualMachine[] {first, second, third}) {
            port(vm).change(PortSettings.guest(vm.network().adapter(0).mac()));
            sh(vm, "ip neigh flush all");
        }
    }

    private static String sh(VirtualMachine vm, String script) {
        return new GuestShell(vm).run(script);
    }

    private static SwitchPort port(VirtualMachine vm) {
        return vm.network().adapter(0).port().orElseThrow();
    }

    private static PortSettings settings(VirtualMachine vm) {
        return port(vm).settings();
    }

    /** What ping says at its end. */
    private static String ping(VirtualMachine from, String options) {
        return new GuestShell(from).tryRun("ping " + options).stdoutText();
    }

    private static long dropped(VirtualMachine vm, Drop why) {
        return port(vm).statistics().dropped().getOrDefault(why, 0L);
    }

    @Test
    void virtualLansAreApartAndATrunkIsInSeveral() {
        port(first).change(settings(first).vlan(10));
        port(second).change(settings(second).vlan(10));
        port(third).change(settings(third).vlan(20));
        assertThat(ping(first, "-c 3 -W 20 192.168.9.2")).contains(NONE_LOST);
        assertThat(ping(first, "-c 2 -W 2 192.168.9.3")).contains(ALL_LOST);
        port(third).change(settings(third).trunk(Set.of(10, 20), 0));
        sh(
                third,
                "ip addr flush dev eth0; ip link add link eth0 name eth0.10 type vlan id 10;"
                        + " ip addr add 192.168.9.3/24 dev eth0.10; ip link set eth0.10 up");
        try {
            assertThat(ping(first, "-c 3 -W 20 192.168.9.3")).contains(NONE_LOST);
            assertThat(ping(third, "-c 3 -W 20 192.168.9.2")).contains(NONE_LOST);
        } finally {
            sh(third, "ip link del eth0.10; ip addr add 192.168.9.3/24 dev eth0");
        }
    }

    @Test
    void anAccessListDecidesByAddressAndProtocolAndCounts() {
        AccessRule count = AccessRule.of(Direction.IN, Action.METER).protocol(Frame.TCP);
        port(second)
                .change(settings(second)
                        .accessList(
                                count,
                                AccessRule.of(Direction.IN, Action.DENY)
                                        .remote("192.168.9.1/32")
                                        .protocol(1)));
        assertThat(ping(first, "-c 2 -W 2 192.168.9.2")).contains(ALL_LOST);
        assertThat(ping(third, "-c 3 -W 20 192.168.9.2")).contains(NONE_LOST);
        // busybox's nc ends when the other side has said all it has to say: so this side says nothing for a while.
        sh(second, "sleep 600 </dev/null 2>/dev/null | nc -l -p 99 >/tmp/got 2>/dev/null & sleep 1");
        sh(first, "head -c 1048576 /dev/zero | nc 192.168.9.2 99");
        sh(second, "for i in $(seq 200); do [ $(wc -c </tmp/got) = 1048576 ] && exit; sleep 0.2; done; exit 1");
        assertThat(port(second).statistics().metered().get(count)).isGreaterThan(1 << 20);
    }

    @Test
    void isolatedPortsReachOnlyOthers() {
        port(first).change(settings(first).isolated(true));
        port(third).change(settings(third).isolated(true));
        assertThat(ping(first, "-c 3 -W 20 192.168.9.2")).contains(NONE_LOST);
        assertThat(ping(first, "-c 2 -W 2 192.168.9.3")).contains(ALL_LOST);
    }

    @Test
    void aMirrorSeesWhatPassesAnother(@TempDir Path folder) throws Exception {
        var seen = new AtomicInteger();
        Path file = folder.resolve("lan.pcapng");
        var capture = new PcapngCapture(file);
        lan.add(capture);
        try (SwitchPort mirror = lan.connect(
                "mirror",
                PortSettings.uplink().mirror(Mirror.DESTINATION),
                frame -> seen.addAndGet(frame.protocol() == 1 ? 1 : 0))) {
            assertThat(mirror.settings().mirror()).isEqualTo(Mirror.DESTINATION);
            port(first).change(settings(first).mirror(Mirror.SOURCE));
            port(third).change(settings(third).mirror(Mirror.DESTINATION));
            sh(
                    third,
                    "tcpdump -Z root -n -c 6 -i eth0 icmp >/tmp/seen 2>/tmp/log & for i in $(seq 100); do"
                            + " grep -q listening /tmp/log && break; sleep 0.2; done");
            assertThat(ping(first, "-c 3 -W 20 192.168.9.2")).contains(NONE_LOST);
            assertThat(sh(
                            third,
                            "for i in $(seq 100); do [ $(wc -l </tmp/seen) -ge 6 ] && break; sleep 0.2; done;"
                                    + " cat /tmp/seen"))
                    .contains("192.168.9.1 > 192.168.9.2: ICMP echo request")
                    .contains("192.168.9.2 > 192.168.9.1: ICMP echo reply");
            assertThat(seen).hasValueGreaterThanOrEqualTo(6);
        } finally {
            lan.remove(capture);
            capture.close();
        }
        assertThat(file).isNotEmptyFile();
        port(third).change(PortSettings.guest(third.network().adapter(0).mac()));
        assertThat(ping(third, "-c 3 -W 20 192.168.9.1")).as("a mirror no more").contains(NONE_LOST);
    }

    @Test
    void aPortSendsNoMoreThanItsMaximum() {
        long most = 20_000_000;
        port(first).change(settings(first).bandwidth(most, 1));
        sh(second, "iperf3 -s -1 -D; sleep 1");
        String said = sh(first, "iperf3 -c 192.168.9.2 -t 5 -J");
        Matcher bits = Pattern.compile("\"sum_received\":\\s*\\{.*?\"bits_per_second\":\\s*([0-9.e+]+)", Pattern.DOTALL)
                .matcher(said);
        assertThat(bits.find()).as(said).isTrue();
        // What it has saved up, and that a measurement does not begin and end with a packet.
        assertThat(Double.parseDouble(bits.group(1))).isBetween(most / 20.0, most * 1.2);
    }

    @Test
    void anothersAddressIsOfNoUse() throws Exception {
        port(first).change(settings(first).addresses(InetAddress.ofLiteral("192.168.9.1")));
        assertThat(sh(first, "arping -c 2 -w 20 -I eth0 192.168.9.2")).contains("Received 2 response");
        long before = dropped(first, Drop.ADDRESS_SPOOFED);
        sh(first, "ip addr add 192.168.9.77/24 dev eth0");
        try {
            assertThat(new GuestShell(first)
                            .tryRun("arping -c 2 -w 4 -I eth0 -s 192.168.9.77 192.168.9.2")
                            .stdoutText())
                    .contains("Received 0 response");
            assertThat(ping(first, "-I 192.168.9.77 -c 2 -W 2 192.168.9.2")).contains(ALL_LOST);
        } finally {
            sh(first, "ip addr del 192.168.9.77/24 dev eth0");
        }
        assertThat(dropped(first, Drop.ADDRESS_SPOOFED)).isGreaterThan(before);
        assertThat(sh(second, "cat /proc/net/arp")).doesNotContain("192.168.9.77");
    }

    /** A guest that gives addresses and says that it is a router reaches nobody, until its port is told that it is both. */
    @Test
    void aGuestIsNoDhcpServerAndNoRouterUnlessItMay() {
        sh(
                first,
                "ip addr add fd00:9::1/64 dev eth0; dnsmasq -C /dev/null --user=root --port=0 --interface=eth0"
                        + " --dhcp-leasefile=/tmp/leases --dhcp-range=192.168.9.100,192.168.9.110,1h"
                        + " --dhcp-range=fd00:9::,ra-only --enable-ra --ra-param=eth0,4 --pid-file=/tmp/dnsmasq.pid");
        try {
            String ask = "udhcpc -i eth0 -n -q -t 3 -T 2 -s /bin/true 2>&1; true";
            assertThat(sh(second, ask)).contains("no lease");
            assertThat(sh(second, "sleep 6; ip -6 addr show dev eth0")).doesNotContain("fd00:9:");
            assertThat(dropped(first, Drop.DHCP_GUARD)).isPositive();
            assertThat(dropped(first, Drop.ROUTER_GUARD)).isPositive();

            port(first).change(settings(first).guards(false, false, false));
            assertThat(sh(second, ask)).containsPattern("lease of 192\\.168\\.9\\.1[01]\\d obtained");
            assertThat(sh(
                            second,
                            "for i in $(seq 60); do ip -6 addr show dev eth0 | grep -q fd00:9: && break; sleep 1;"
                                    + " done; ip -6 addr show dev eth0"))
                    .contains("fd00:9:");
        } finally {
            sh(first, "kill $(cat /tmp/dnsmasq.pid); ip addr del fd00:9::1/64 dev eth0");
        }
    }
}
