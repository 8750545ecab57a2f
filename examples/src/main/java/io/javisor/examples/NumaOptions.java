package io.javisor.examples;

import io.javisor.api.MachineBuilder;
import io.javisor.api.MemorySize;
import io.javisor.api.VirtualMachine;
import io.javisor.numa.MirrorLimits;
import io.javisor.numa.NumaArguments;
import io.javisor.numa.NumaTopologyBuilder;
import io.javisor.numa.host.HostTopology;
import java.io.PrintWriter;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** The options that shape a machine's processors and memory beyond their number, and keep them on the host's nodes. */
final class NumaOptions {
    private static final String AS_THE_HOST = "";
    private static final long DEFAULT_MEMORY = MemorySize.mib(512);

    @Option(
            names = "--numa-speed",
            paramLabel = "FROM:TO=NANOSECONDS[,MIB]",
            description =
                    "Latency and bandwidth (MiB a second) of node TO's memory for node FROM's processors; repeat it.")
    private List<String> speeds = List.of();

    @Option(
            names = "--numa-mirror",
            arity = "0..1",
            fallbackValue = AS_THE_HOST,
            paramLabel = "LIMITS",
            description = {
                "Nodes in the shape of the host's, for --vcpus and --memory. Limits other than the host's own:",
                "vcpus=N,memory=SIZE (of a node), nodes-per-socket=N."
            })
    private @Nullable String mirror;

    @Option(
            names = "--numa-strict",
            description = "No node may take memory from several host nodes; else the machine does not start.")
    private boolean strict;

    @Option(
            names = "--cpu-layout",
            paramLabel = "sockets=N,dies=N,cores=N,threads=N",
            description = "How the processors are arranged; what is left out follows from the rest.")
    private @Nullable String layout;

    @Option(
            names = "--pin",
            description = "Every processor gets a host processor of its own; else they float in their node.")
    private boolean pin;

    @Option(
            names = "--hugepages",
            paramLabel = "2M|1G",
            converter = MachineOptions.SizeConverter.class,
            description = "Back the memory by hugetlb pages, which the host must have reserved.")
    private @Nullable Long hugePages;

    @Option(
            names = "--numa-report",
            description = "At the end say on stderr on which host nodes memory and processors lay.")
    private boolean report;

    /** Looks at what can be seen before anything is started. */
    void check(CommandLine line, boolean described) {
        if (mirror != null && described) {
            throw new CommandLine.ParameterException(
                    line, "--numa-mirror makes the nodes; --numa can't be given with it");
        }
    }

    /** Gives the machine its shape; {@code nodes} and {@code distances} are what was said of single nodes. */
    void apply(
            MachineBuilder builder,
            List<String> nodes,
            List<String> distances,
            @Nullable Integer vcpus,
            @Nullable Long memory) {
        builder.hugePages(Objects.requireNonNullElse(hugePages, 0L));
        boolean asked = mirror != null || strict || pin || layout != null;
        if (!asked && nodes.isEmpty() && distances.isEmpty() && speeds.isEmpty()) {
            return;
        }
        int count = Objects.requireNonNullElse(vcpus, 1);
        long bytes = Objects.requireNonNullElse(memory, DEFAULT_MEMORY);
        builder.numa(numa -> describe(numa, nodes, distances, count, bytes));
    }

    private void describe(
            NumaTopologyBuilder numa, List<String> nodes, List<String> distances, int vcpus, long memory) {
        numa.spanning(!strict).pinned(pin);
        if (mirror != null) {
            HostTopology host = HostTopology.read();
            numa.mirrorHost(host, vcpus, memory, NumaArguments.limits(mirror, MirrorLimits.of(host)));
        } else if (nodes.isEmpty()) {
            numa.node(n -> n.vcpus(vcpus).memory(memory));
        }
        NumaArguments.describe(
                numa, nodes, distances, speeds, layout == null ? List.of() : List.of(Objects.requireNonNull(layout)));
    }

    /** Bytes of the hugetlb pages that the machine was asked to have; 0 if it has ordinary memory. */
    long hugePageSize() {
        return Objects.requireNonNullElse(hugePages, 0L);
    }

    /** Says where the machine lies, if it was asked for. */
    void report(VirtualMachine vm, PrintWriter err) {
        if (report) {
            vm.numa().placement().describe().forEach(err::println);
            err.flush();
        }
    }
}
