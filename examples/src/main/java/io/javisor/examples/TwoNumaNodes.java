package io.javisor.examples;

import io.javisor.api.MemorySize;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.numa.host.HostNode;
import io.javisor.numa.host.HostTopology;
import io.javisor.numa.placement.Placement;
import java.time.Duration;
import java.util.List;

/**
 * Boots a guest of two NUMA nodes, each kept on a host node of its own where the host has two, and prints what the guest sees
 * of them beside where their pages and processors lie.
 *
 * <pre>
 * java --enable-native-access=io.javisor.linux -p ... -m io.javisor.examples/io.javisor.examples.TwoNumaNodes
 * </pre>
 */
public final class TwoNumaNodes {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private TwoNumaNodes() {}

    /** Takes no arguments. */
    public static void main(String[] arguments) {
        List<Integer> host = HostTopology.read().nodes().stream()
                .filter(n -> n.hasMemory() && !n.cpus().isEmpty())
                .map(HostNode::id)
                .toList();
        try (VirtualMachine vm = VirtualMachine.builder("two-nodes")
                .numa(numa -> numa.node(
                                n -> n.vcpus(1).memory(MemorySize.mib(384)).hostNode(host.getFirst()))
                        .node(n -> n.vcpus(1).memory(MemorySize.mib(256)).hostNode(host.getLast()))
                        .distance(0, 1, 21))
                .linux(l -> l.debian("6.12-cloud"))
                .build()) {
            vm.start().await(Wait.forShell(), PATIENCE);
            // A file on each node, so that there is something to see.
            for (int n = 0; n < 2; n++) {
                vm.exec(
                                "sh",
                                "-c",
                                "mkdir /n%d && mount -t tmpfs -o mpol=bind:%d n /n%d && head -c 67108864 /dev/zero >/n%d/file"
                                        .formatted(n, n, n, n))
                        .orThrow();
            }
            Placement lies = vm.numa().placement();
            for (int n = 0; n < 2; n++) {
                System.out.printf("guest node %d%n", n);
                System.out.printf(
                        "  the guest sees  vCPU %s, %s kB, distances %s%n",
                        of(vm, n, "cpulist"), total(vm, n), of(vm, n, "distance"));
                System.out.printf("  the host says   %s%n", lies.describe().get(n));
            }
            lies.describe().stream().skip(2).forEach(System.out::println);
        }
    }

    private static String of(VirtualMachine vm, int node, String file) {
        return vm.exec("cat", "/sys/devices/system/node/node" + node + "/" + file)
                .orThrow()
                .stdoutText()
                .strip();
    }

    private static String total(VirtualMachine vm, int node) {
        return vm.exec("awk", "/MemTotal/ {print $4}", "/sys/devices/system/node/node" + node + "/meminfo")
                .orThrow()
                .stdoutText()
                .strip();
    }
}
