package io.javisor.examples;

import io.javisor.api.MemorySize;
import io.javisor.api.NetworkSpec;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.networking.extension.StatefulFirewall;
import io.javisor.networking.frame.Frame;
import io.javisor.networking.vswitch.Extensions;
import io.javisor.networking.vswitch.SwitchPort;
import io.javisor.networking.vswitch.VirtualSwitch;
import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;

/**
 * Boots two guests on a switch of this program's, with a firewall before one of them and an extension of one's own, and prints what
 * the other reaches.
 *
 * <pre>
 * java --enable-native-access=io.javisor.linux -p ... -m io.javisor.examples/io.javisor.examples.TwoMachinesOnASwitch
 * </pre>
 */
public final class TwoMachinesOnASwitch {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private TwoMachinesOnASwitch() {}

    /** An extension: counts what is neither ARP nor IPv4. It is called for every frame, by several threads. */
    private static final class Curious implements Extensions.Capture {
        private final LongAdder others = new LongAdder();

        @Override
        public void entered(Frame frame, SwitchPort from) {
            if (frame.etherType() != Frame.ARP && frame.etherType() != Frame.IPV4) {
                others.increment();
            }
        }
    }

    /** Takes no arguments. */
    public static void main(String[] arguments) {
        var lan = new VirtualSwitch("lan");
        var curious = new Curious();
        lan.add(curious);
        try (VirtualMachine server = machine("server", lan);
                VirtualMachine client = machine("client", lan)) {
            server.start();
            client.start();
            server.await(Wait.forShell(), PATIENCE);
            client.await(Wait.forShell(), PATIENCE);
            sh(server, "ip addr add 192.168.7.1/24 dev eth0; ip link set eth0 up");
            sh(client, "ip addr add 192.168.7.2/24 dev eth0; ip link set eth0 up");
            sh(server, "mkdir /www; echo from the server >/www/index.html; httpd -p 80 -h /www; httpd -p 8080 -h /www");

            SwitchPort door = server.network().adapter(0).port().orElseThrow();
            lan.add(new StatefulFirewall().protect(door).open(door, Frame.TCP, 80));
            System.out.println("port 80 says: " + sh(client, "timeout 60 wget -q -O - http://192.168.7.1/"));
            System.out.println("port 8080 says: "
                    + sh(client, "timeout 2 wget -q -O - http://192.168.7.1:8080/ 2>/dev/null || echo nothing"));
            System.out.println("the other way, ping says: "
                    + sh(server, "ping -c 1 -W 60 192.168.7.2 >/dev/null && echo there it is"));
            System.out.printf(
                    "the switch has forwarded %s than IPv4%n", curious.others.sum() > 0 ? "more" : "nothing else");
        }
    }

    private static VirtualMachine machine(String name, VirtualSwitch lan) {
        return VirtualMachine.builder(name)
                .memory(MemorySize.mib(256))
                .network(NetworkSpec.on(lan))
                .linux(l -> l.debian("6.12-cloud"))
                .build();
    }

    private static String sh(VirtualMachine vm, String command) {
        return vm.exec("sh", "-c", command).stdoutText().strip();
    }
}
