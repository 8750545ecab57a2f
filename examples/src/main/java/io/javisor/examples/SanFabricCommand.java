package io.javisor.examples;

import io.javisor.storage.fcoe.FabricPort;
import io.javisor.storage.fcoe.FabricSwitch;
import io.javisor.storage.fibrechannel.Wwn;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Is a Fibre Channel fabric, for those who have no switch. */
@Command(
        name = "fabric",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Is a Fibre Channel fabric (FCoE, with NPIV and zones) on network interfaces of this host, until it is ended by ^C.",
            "Who logs in and out is said a line each. Needs root, or CAP_NET_RAW.",
            "With veth pairs the fabric and its hosts are on one machine:",
            "  ip link add hba0 type veth peer name sw0; ip link set hba0 mtu 2500 up; ip link set sw0 mtu 2500 up",
            "  modprobe fcoe; echo hba0 >/sys/bus/fcoe/ctlr_create; echo 1 >/sys/bus/fcoe/devices/ctlr_0/enabled"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"130:ended by ^C", "64:bad options", "69:an interface is not there, or may not be used"})
final class SanFabricCommand implements Callable<Integer> {
    private static final long LOOK_MILLIS = 500;

    @Parameters(paramLabel = "IFNAME", arity = "1..*", split = ",", description = "Interfaces that the fabric is on.")
    private List<String> interfaces = List.of();

    @Option(
            names = "--zone",
            paramLabel = "NAME=WWPN,WWPN...",
            description =
                    "Ports that see each other; repeat it for more. Ports in no zone see each other, unless --closed.")
    private List<String> zones = List.of();

    @Option(names = "--closed", description = "Ports in no zone see nobody.")
    private boolean isClosed;

    @Option(
            names = "--keep-alive",
            paramLabel = "SECONDS",
            defaultValue = "8",
            description = "Who is not heard of for two and a half of these periods is logged out (${DEFAULT-VALUE}).")
    private int keepAlive = 8;

    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        var named = new TreeMap<String, Set<Wwn>>();
        try {
            zones.forEach(zone -> parse(zone, named));
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        if (keepAlive < 1 || keepAlive > 90) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--keep-alive must be 1 to 90 seconds");
        }
        PrintWriter out = spec.commandLine().getOut();
        try (FabricSwitch fabric = FabricSwitch.open(interfaces, Duration.ofSeconds(keepAlive))) {
            fabric.zones(all -> {
                named.forEach(all::set);
                all.setOpen(!isClosed);
            });
            Runtime.getRuntime().addShutdownHook(new Thread(fabric::close, "fabric-close"));
            out.println(fabric);
            out.flush();
            follow(fabric, out);
        }
        return ExitCode.OK;
    }

    private static void parse(String zone, Map<String, Set<Wwn>> into) {
        int equals = zone.indexOf('=');
        if (equals < 1) {
            throw new IllegalArgumentException("--zone " + zone + "; write --zone NAME=WWPN,WWPN...");
        }
        var members = new LinkedHashSet<Wwn>();
        for (String name : zone.substring(equals + 1).split(",", -1)) {
            members.add(Wwn.of(name));
        }
        into.put(zone.substring(0, equals), members);
    }

    private static void follow(FabricSwitch fabric, PrintWriter out) throws InterruptedException {
        Set<FabricPort> before = Set.of();
        while (!fabric.isClosed()) {
            Set<FabricPort> now = new LinkedHashSet<>(fabric.ports());
            for (FabricPort port : before) {
                if (!now.contains(port) && now.stream().noneMatch(other -> other.id() == port.id())) {
                    out.printf("out  %s%n", text(port, fabric));
                }
            }
            for (FabricPort port : now) {
                if (!before.contains(port)) {
                    out.printf("in   %s%n", text(port, fabric));
                }
            }
            out.flush();
            before = now;
            Thread.sleep(LOOK_MILLIS);
        }
    }

    private static String text(FabricPort port, FabricSwitch fabric) {
        return "%06x  port %s  node %s  at %s%s%s%s"
                .formatted(
                        port.id(),
                        port.portName(),
                        port.nodeName(),
                        fabric.interfaces().get(port.link()),
                        port.virtual() ? ", virtual" : "",
                        port.initiator() ? ", initiator" : "",
                        port.target() ? ", target" : "");
    }
}
