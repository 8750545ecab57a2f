package io.javisor.examples;

import io.javisor.storage.fibrechannel.HostPort;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows the host's Fibre Channel adapters, or is a fabric. */
@Command(
        name = "san",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Shows this host's Fibre Channel adapters, what they see at their fabrics, and the LUNs there.",
        subcommands = SanFabricCommand.class,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "64:bad options", "69:this host has no Fibre Channel adapter, or none of that name"})
final class SanCommand implements Callable<Integer> {
    /** What can be shown. */
    enum What {
        /** The host's own ports. */
        LIST,
        /** Ports that they see. */
        PORTS,
        /** Units behind those. */
        LUNS
    }

    @Parameters(
            index = "0",
            arity = "0..1", // of none is needed where a subcommand is given
            paramLabel = "list|ports|luns",
            description = {"list: the host's adapters; ports: the ports that they see; luns: the units behind those."})
    private @Nullable What what;

    @Parameters(index = "1", arity = "0..1", paramLabel = "HOST", description = "One adapter only, as host3.")
    private @Nullable String host;

    @Option(names = "--sysfs", hidden = true, defaultValue = "/sys")
    private Path sysfs = Path.of("/sys");

    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() {
        What shown = what;
        if (shown == null) {
            throw new CommandLine.ParameterException(spec.commandLine(), "which? list, ports, luns or fabric");
        }
        PrintWriter out = spec.commandLine().getOut();
        List<HostPort> ports = HostPort.list(sysfs).stream()
                .filter(port -> host == null || port.host().equals(host))
                .toList();
        if (ports.isEmpty()) {
            spec.commandLine()
                    .getErr()
                    .println("javisor: no Fibre Channel adapter " + (host == null ? "" : host + " ") + "in "
                            + sysfs.resolve("class/fc_host")
                            + " (load its driver, as lpfc or qla2xxx; lspci shows whether there is one)");
            return ExitCode.HOST;
        }
        for (HostPort port : ports) {
            switch (shown) {
                case LIST ->
                    out.printf(
                            "%-8s port %s  node %s  %s, %s, %s, %s%n",
                            port.host(),
                            port.portName(),
                            port.nodeName(),
                            port.type(),
                            port.state(),
                            port.speed(),
                            port.virtualPorts());
                case PORTS ->
                    port.remotePorts()
                            .forEach(remote -> out.printf(
                                    "%-8s port %s  node %s  %s, %s%n",
                                    port.host(), remote.portName(), remote.nodeName(), remote.roles(), remote.state()));
                case LUNS ->
                    port.units()
                            .forEach(unit -> out.printf(
                                    "%-8s LUN %-5d of %s  %s%n",
                                    port.host(), unit.lun(), unit.portName(), unit.description()));
            }
        }
        out.flush();
        return ExitCode.OK;
    }
}
