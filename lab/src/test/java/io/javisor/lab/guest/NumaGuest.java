package io.javisor.lab.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.LinuxSpec;
import io.javisor.api.Outcome;
import io.javisor.api.VirtualMachine;
import io.javisor.boot.debian.DebianPackages;
import io.javisor.boot.image.Initramfs;
import io.javisor.numa.CpuSet;
import io.javisor.numa.MemoryPerformance;
import io.javisor.numa.NumaTopology;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What a stock guest says of its NUMA nodes: its own sysfs, its kernel's log, and the programs {@code numactl} and {@code lscpu},
 * held against the topology that it was given.
 */
final class NumaGuest {
    private static final Duration PATIENCE = Duration.ofMinutes(8);

    /** Files that Debian's numactl and lscpu need, by package. */
    private static final List<String> NUMACTL = List.of("usr/bin/numactl", "usr/lib/x86_64-linux-gnu/libnuma.so.1");

    private static final List<String> LSCPU = List.of("usr/bin/lscpu", "usr/lib/x86_64-linux-gnu/libsmartcols.so.1");
    private static final String LIBC = "lib/x86_64-linux-gnu/libc.so.6";
    private static final String LOADER = "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";

    /**
     * Writes the guest's view as lines of {@code name=value}; programs' lines have their name in front. A few programs read all files,
     * since a program's start takes long in a large guest. A shell's {@code read} can't read {@code cpulist}.
     */
    static final String REPORT = """
        cd /sys/devices/system/node
        echo "release=$(uname -r)"
        awk '{
            names["node/online"] = "online"; names["cpu/online"] = "processors"; names["node/has_memory"] = "withmemory"
            n = split(FILENAME, path, "/"); print names[path[n - 1] "/" path[n]] "=" $0
        }' /sys/devices/system/node/online /sys/devices/system/cpu/online /sys/devices/system/node/has_memory
        awk -F '\n' '{
            n = split(FILENAME, path, "/"); node = substr(path[1], 5); name = path[n]; gsub("_", "", name)
            print name "." node "=" $0
        }' $(ls -d node[0-9]*/cpulist node[0-9]*/distance node[0-9]*/access0/initiators/*_latency \
            node[0-9]*/access0/initiators/*_bandwidth 2>/dev/null)
        awk '$3 == "MemTotal:" {print "total." $2 "=" $4}' node[0-9]*/meminfo
        ls -d node[0-9]*/access0/initiators/node[0-9]* 2>/dev/null | sort -V | awk -F / '
            {n = substr($1, 5); near[n] = near[n] (n in near ? " " : "") substr($4, 5)}
            END {for (n in near) print "initiators." n "=" near[n]}'
        awk '/^Node/ {n = $2 + 0} $1 == "present" {p[n] += $2} END {for (n in p) print "present." n "=" p[n]}' /proc/zoneinfo
        numactl -H | sed 's/^/numactl: /'
        lscpu | awk '/^(CPU|NUMA|Socket|Thread|Core)/ {print "lscpu: " $0}'
        lscpu -p=CPU,NODE,SOCKET,CORE | awk '!/#/ {print "place: " $0}'
        cd /sys/devices/system/cpu
        awk '{
            split(FILENAME, path, "/"); cpu = substr(path[1], 4); name = path[3]
            if (path[2] == "topology") seen[cpu, name] = $0
            else if (path[4] == "level") level[cpu, name] = $0
            else if (level[cpu, name] == 3) seen[cpu, "last"] = $0
            cpus[cpu] = 1
        } END {
            for (c in cpus)
                print "place." c "=" seen[c, "physical_package_id"], seen[c, "die_cpus_list"], seen[c, "core_cpus_list"], seen[c, "last"]
        }' $(ls -d cpu[0-9]*/cache/index*/level 2>/dev/null) \
            $(ls -d cpu[0-9]*/topology/physical_package_id cpu[0-9]*/topology/die_cpus_list cpu[0-9]*/topology/core_cpus_list \
                cpu[0-9]*/cache/index*/shared_cpu_list 2>/dev/null)
        awk '/^model name/ {sub(".*: ", ""); print "model=" $0; exit}' /proc/cpuinfo
        dmesg -r | awk '
            /Linux version/ {print "banner: " $0}
            /x2apic|IR-IO-APIC|remapping/ {print "apic: " $0}
            /^<[0-4]>/ {print "warning: " $0; next}
            {line = tolower($0)}
            line ~ /firmware bug|firmware warn|acpi (bios|error|warning)|srat: .*(fail|overlap|conflict|ignored)/ {print "warning: " $0}
            line ~ /slit: .*(bad|invalid)|mismatch|not described|borken|no numa config|faking a node/ {print "warning: " $0}'
        """;

    @SuppressWarnings("InlineFormatString") // a program of its own
    private static final String INIT = """
        #!/bin/busybox sh
        /bin/busybox mkdir -p /proc /sys /bin
        /bin/busybox mount -t proc proc /proc
        /bin/busybox mount -t sysfs sys /sys
        /bin/busybox --install -s /bin
        export PATH=/bin:/usr/bin
        %s
        echo "end of report"
        poweroff -f
        """;

    private NumaGuest() {}

    /** Puts numactl and lscpu with their libraries into an initial RAM disk. */
    static void addTools(Initramfs.Builder image) {
        DebianPackages debian = DebianPackages.open();
        Path numactl = debian.unpack("numactl");
        Path utilLinux = debian.unpack("util-linux");
        NUMACTL.forEach(f -> image.executable("/" + f, numactl.resolve(f)));
        LSCPU.forEach(f -> image.executable("/" + f, utilLinux.resolve(f)));
        image.executable("/" + LIBC, numactl.resolve(LIBC));
        image.executable("/" + LOADER, numactl.resolve(LOADER));
        image.executable("/lib64/ld-linux-x86-64.so.2", numactl.resolve(LOADER));
    }

    /** Boots a stock kernel, and gives its report after it has powered off. */
    static Report boot(String kernel, NumaTopology topology, Consumer<LinuxSpec.Builder> more) {
        try (VirtualMachine vm = VirtualMachine.builder("numa")
                .numa(topology)
                .linux(l -> {
                    // How long things take says nothing of the topology.
                    l.kernel(GuestFiles.kernel(kernel))
                            .initrd(initrd())
                            .append("rcupdate.rcu_cpu_stall_suppress=1 nowatchdog loglevel=1");
                    more.accept(l);
                })
                .build()) {
            assertThat(vm.start().awaitStop(PATIENCE))
                    .as("%s", vm.console().tail(40))
                    .isEqualTo(new Outcome.PoweredOff());
            String text = vm.console().text();
            return Report.of(text);
        }
    }

    private static Path initrd() {
        try {
            Path file = Files.createTempFile("javisor-test-", ".cpio");
            file.toFile().deleteOnExit();
            return Initramfs.of(b -> {
                        b.console()
                                .executable(
                                        "/bin/busybox", DebianPackages.open().busybox())
                                .script("/init", INIT.formatted(REPORT));
                        addTools(b);
                    })
                    .writeTo(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Holds every view that the guest has of its nodes against the topology. */
    static void verify(Report report, NumaTopology topology) {
        int nodes = topology.nodes().size();
        String all = CpuSet.range(0, nodes).toString();
        assertThat(report.get("online")).as("nodes").isEqualTo(all);
        assertThat(report.get("processors"))
                .isEqualTo(CpuSet.range(0, topology.vcpus()).toString());
        assertThat(report.get("withmemory"))
                .isEqualTo(CpuSet.of(IntStream.range(0, nodes)
                                .filter(n -> topology.nodes().get(n).hasMemory())
                                .toArray())
                        .toString());
        for (int n = 0; n < nodes; n++) {
            String vcpus = topology.nodes().get(n).vcpus().toString();
            assertThat(report.get("cpulist." + n)).as("vCPUs of node %d", n).isEqualTo(vcpus);
            assertThat(report.get("distance." + n))
                    .as("distances of node %d", n)
                    .isEqualTo(distances(topology, n, " "));
            memory(report, n, topology);
            performance(report, n, topology);
        }
        numactl(report, topology);
        lscpu(report, topology);
        assertThat(report.warnings()).as("warnings in the guest's log").allMatch(NumaGuest::isOfTheLab);
    }

    /**
     * More vCPUs than the lab has processors, translated: ticks come late there. And Linux 6.1 prints the numbers of the vCPUs that
     * it starts without a level when the line takes long.
     */
    private static boolean isOfTheLab(String warning) {
        return warning.contains("hrtimer: interrupt took")
                || warning.contains("sched: DL replenish lagged too much")
                || warning.matches("warning: <4>\\[[ 0-9.]+\\] *(#[0-9]+ *)*");
    }

    private static String distances(NumaTopology topology, int from, String separator) {
        return IntStream.range(0, topology.nodes().size())
                .mapToObj(to -> String.valueOf(topology.distance(from, to)))
                .collect(Collectors.joining(separator));
    }

    /** The pages that the kernel counts as present are the node's, but for the first megabyte's holes; MemTotal is less. */
    private static void memory(Report report, int n, NumaTopology topology) {
        long bytes = topology.nodes().get(n).memory();
        long present = report.values().containsKey("present." + n) ? report.number("present." + n) << 12 : 0;
        if (lowest(topology) == n) {
            assertThat(present).as("memory of node %d", n).isBetween(bytes - (1L << 20), bytes);
        } else {
            assertThat(present).as("memory of node %d", n).isEqualTo(bytes);
        }
        long total = report.number("total." + n) << 10;
        // A page descriptor takes 64 bytes for each 4 KiB; the node that loads first holds the kernel and the RAM disk
        // too.
        assertThat(total)
                .as("MemTotal of node %d", n)
                .isBetween(bytes == 0 ? 0 : bytes * 95 / 100 - (160L << 20), bytes);
    }

    private static int lowest(NumaTopology topology) {
        return IntStream.range(0, topology.nodes().size())
                .filter(n -> topology.nodes().get(n).hasMemory())
                .findFirst()
                .orElseThrow();
    }

    /** Attributes of a node's memory as its nearest processors see it. */
    private static void performance(Report report, int n, NumaTopology topology) {
        if (!topology.hasPerformance() || !topology.nodes().get(n).hasMemory()) {
            return;
        }
        List<Integer> nearest = nearest(topology, n);
        MemoryPerformance p = topology.performance(nearest.getFirst(), n);
        assertThat(report.number("readlatency." + n))
                .as("read latency of node %d", n)
                .isEqualTo(p.readLatency());
        assertThat(report.number("writelatency." + n))
                .as("write latency of node %d", n)
                .isEqualTo(p.writeLatency());
        assertThat(report.number("readbandwidth." + n))
                .as("read bandwidth of node %d", n)
                .isEqualTo(p.readBandwidth());
        assertThat(report.number("writebandwidth." + n))
                .as("write bandwidth of node %d", n)
                .isEqualTo(p.writeBandwidth());
        assertThat(report.get("initiators." + n))
                .as("initiators of node %d", n)
                .isEqualTo(nearest.stream().map(String::valueOf).collect(Collectors.joining(" ")));
    }

    /** The node itself if it has vCPUs, else those from which its memory is fastest. */
    private static List<Integer> nearest(NumaTopology topology, int n) {
        if (topology.nodes().get(n).hasVcpus()) {
            return List.of(n);
        }
        List<Integer> with = IntStream.range(0, topology.nodes().size())
                .filter(i -> topology.nodes().get(i).hasVcpus()
                        && topology.performance(i, n).stated())
                .boxed()
                .toList();
        int least = with.stream()
                .mapToInt(i -> topology.performance(i, n).readLatency())
                .min()
                .orElseThrow();
        return with.stream()
                .filter(i -> topology.performance(i, n).readLatency() == least)
                .toList();
    }

    private static void numactl(Report report, NumaTopology topology) {
        List<String> lines = program(report, "numactl");
        int nodes = topology.nodes().size();
        assertThat(lines).contains("available: " + nodes + " nodes (" + CpuSet.range(0, nodes) + ")");
        for (int n = 0; n < nodes; n++) {
            String vcpus = topology.nodes().get(n).vcpus().stream()
                    .mapToObj(v -> " " + v)
                    .collect(Collectors.joining());
            assertThat(lines).contains("node " + n + " cpus:" + vcpus);
            assertThat(lines).contains("node " + n + " size: " + (report.number("total." + n) >> 10) + " MB");
            int from = n;
            assertThat(lines)
                    .as("numactl's distances from node %d", n)
                    .anyMatch(
                            l -> l.strip().replaceAll(" +", " ").equals(from + ": " + distances(topology, from, " ")));
        }
    }

    private static void lscpu(Report report, NumaTopology topology) {
        List<String> lines = program(report, "lscpu").stream()
                .map(l -> l.replaceAll(" +", " "))
                .toList();
        assertThat(lines).contains("NUMA node(s): " + topology.nodes().size(), "CPU(s): " + topology.vcpus());
        for (int n = 0; n < topology.nodes().size(); n++) {
            String head = "NUMA node" + n + " CPU(s):";
            String vcpus = lines.stream()
                    .filter(l -> l.startsWith(head))
                    .map(l -> l.substring(head.length()))
                    .findFirst()
                    .orElse("none");
            // lscpu writes two neighbours as 0,1.
            assertThat(CpuSet.parse(vcpus)).isEqualTo(topology.nodes().get(n).vcpus());
        }
        var sockets = topology.processors().positions().stream()
                .map(p -> p.socket())
                .distinct()
                .count();
        assertThat(lines).contains("Socket(s): " + sockets);
        assertThat(lines)
                .contains("Thread(s) per core: " + topology.processors().threads());
        // CPU, node, socket, core.
        List<String> places = program(report, "place");
        assertThat(places).hasSize(topology.vcpus());
        for (int v = 0; v < topology.vcpus(); v++) {
            assertThat(places.get(v)).startsWith(v + "," + topology.nodeOf(v) + ",");
            siblings(report, topology, v);
        }
    }

    /** Who shares a core, a die and a last-level cache with a vCPU, as the kernel has it from CPUID. */
    private static void siblings(Report report, NumaTopology topology, int v) {
        var here = topology.processors().positions().get(v);
        var core = new ArrayList<Integer>();
        var die = new ArrayList<Integer>();
        var cache = new ArrayList<Integer>();
        for (int o = 0; o < topology.vcpus(); o++) {
            var there = topology.processors().positions().get(o);
            boolean sameDie = there.socket() == here.socket() && there.die() == here.die();
            boolean sameGroup = sameDie && there.group() == here.group();
            if (sameDie) {
                die.add(o);
            }
            if (sameGroup) {
                cache.add(o);
            }
            if (sameGroup && there.core() == here.core()) {
                core.add(o);
            }
        }
        String[] words = report.get("place." + v).split(" ", -1);
        assertThat(words[1]).as("die of vCPU %d", v).isEqualTo(CpuSet.of(die).toString());
        assertThat(words[2]).as("core of vCPU %d", v).isEqualTo(CpuSet.of(core).toString());
        if (words.length > 3 && !words[3].isEmpty()) {
            assertThat(words[3])
                    .as("cache of vCPU %d", v)
                    .isEqualTo(CpuSet.of(cache).toString());
        }
    }

    private static List<String> program(Report report, String name) {
        String head = name + ": ";
        return report.text()
                .lines()
                .filter(l -> l.startsWith(head))
                .map(l -> l.substring(head.length()).stripTrailing())
                .toList();
    }
}
