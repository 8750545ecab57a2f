package io.javisor.api;

import io.javisor.memory.DynamicMemory;
import io.javisor.numa.NumaTopology;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What a machine is: immutable, without a descriptor open, good for any number of machines. Made by
 * {@link MachineBuilder#spec()}, which reports all problems at once.
 *
 * @param name for messages, threads and the guest's SMBIOS; any text, 1 to 100 characters
 * @param numa its processors and memory, node by node; a machine of which nothing is said has one node
 * @param cpu what processors the guest sees
 * @param dynamicMemory what memory it may have while it runs; empty if it keeps its boot memory
 * @param linux what the guest boots
 * @param onReset what a guest's reset does
 * @param drives its disks and DVD drives
 * @param networks its network adapters
 * @param fibreChannels its Fibre Channel adapters
 */
public record MachineSpec(
        String name,
        NumaTopology numa,
        CpuSpec cpu,
        Optional<DynamicMemory> dynamicMemory,
        LinuxSpec linux,
        ResetAction onReset,
        List<DriveSpec> drives,
        List<NetworkSpec> networks,
        List<FibreChannelSpec> fibreChannels) {
    /** Copies the lists. */
    public MachineSpec {
        drives = List.copyOf(drives);
        networks = List.copyOf(networks);
        fibreChannels = List.copyOf(fibreChannels);
    }

    /** The same with another name. */
    public MachineSpec withName(String other) {
        return new MachineSpec(other, numa, cpu, dynamicMemory, linux, onReset, drives, networks, fibreChannels);
    }

    /** The same with other limits of dynamic memory. */
    MachineSpec withDynamicMemory(DynamicMemory limits) {
        return new MachineSpec(name, numa, cpu, Optional.of(limits), linux, onReset, drives, networks, fibreChannels);
    }

    /** The same with other drives. */
    MachineSpec withDrives(List<DriveSpec> others) {
        return new MachineSpec(name, numa, cpu, dynamicMemory, linux, onReset, others, networks, fibreChannels);
    }

    /** The same with other network adapters. */
    MachineSpec withNetworks(List<NetworkSpec> others) {
        return new MachineSpec(name, numa, cpu, dynamicMemory, linux, onReset, drives, others, fibreChannels);
    }

    /** The same with other Fibre Channel adapters. */
    MachineSpec withFibreChannels(List<FibreChannelSpec> others) {
        return new MachineSpec(name, numa, cpu, dynamicMemory, linux, onReset, drives, networks, others);
    }

    /** All that opens a file: the drives, and the disks on SANs of the machine's own, each once. */
    public List<DriveSpec> images() {
        var all = new ArrayList<DriveSpec>(drives);
        var files = new HashSet<Path>();
        for (FibreChannelSpec adapter : fibreChannels) {
            for (FibreChannelSpec.Lun lun : adapter.luns()) {
                Path file = lun.drive().path();
                if (file != null && files.add(file.toAbsolutePath().normalize())) {
                    all.add(lun.drive());
                }
            }
        }
        return all;
    }

    /** The command line that the kernel gets: what the spec says, and which adapters a built initial RAM disk configures. */
    String bootCommandLine() {
        if (!(linux.initrd() instanceof LinuxSpec.Initrd.Busybox)) {
            return linux.commandLine();
        }
        String macs = IntStream.range(0, networks.size())
                .filter(i -> networks.get(i).hasDhcp())
                .mapToObj(i -> networks.get(i).mac(name, i).toString())
                .collect(Collectors.joining(","));
        return macs.isEmpty() ? linux.commandLine() : linux.commandLine() + " javisor.dhcp=" + macs;
    }

    /** Virtual processors. */
    public int vcpus() {
        return numa.vcpus();
    }

    /** Boot memory in bytes. */
    public long memory() {
        return numa.memory();
    }

    /** Whether the host must have KVM's Hyper-V enlightenments: all devices but serial ports need a VMBus. */
    public boolean needsHyperV() {
        return !drives.isEmpty() || !networks.isEmpty() || !fibreChannels.isEmpty() || dynamicMemory.isPresent();
    }

    /**
     * Fetches and builds the files that the machine boots from, where the spec names none, so that it can be created later
     * without a network, and looks at the kernel. {@link VirtualMachine#create} does the same.
     *
     * @throws io.javisor.partition.HypervisorException if a file is missing or can't be booted
     */
    public void prefetch() {
        GuestFiles.of(linux);
    }
}
