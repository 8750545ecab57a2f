package io.javisor.api.state;

import io.javisor.api.CpuSpec;
import io.javisor.api.DriveAddress;
import io.javisor.api.DriveSpec;
import io.javisor.api.FibreChannelSpec;
import io.javisor.api.LinuxSpec;
import io.javisor.api.MachineSpec;
import io.javisor.api.NetworkSpec;
import io.javisor.api.ResetAction;
import io.javisor.networking.netvsp.NetworkAdapter;
import io.javisor.numa.NumaTopology;
import io.javisor.numa.NumaTopologyState;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.storage.storvsp.FibreChannelAdapter;
import io.javisor.storage.storvsp.ScsiController;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A machine's description as a leaf. The records are taken apart by patterns, so that a component that they get is missed by the
 * compiler rather than by whoever restores.
 */
public final class SpecLeaf {
    /** The leaf's name. */
    public static final String NAME = "spec";

    private static final int VERSION = 1;
    private static final int MAX_MODULES = 1000;
    private static final int MAX_DRIVES = ScsiController.MOST_CONTROLLERS * ScsiController.MOST_UNITS;

    private SpecLeaf() {}

    /** Writes a description. */
    public static Leaf of(MachineSpec spec) {
        StateWriter out = new StateWriter();
        switch (spec) {
            case MachineSpec(
                    var name,
                    var numa,
                    var cpu,
                    var memory,
                    var linux,
                    var onReset,
                    var drives,
                    var networks,
                    var hbas) -> {
                StateWriter nodes = new StateWriter();
                NumaTopologyState.save(numa, nodes);
                out.put("name", name)
                        .put("numa", nodes)
                        .put("cpu", cpu.toString())
                        .put("linux", linux(linux))
                        .put("onReset", onReset.name());
                memory.ifPresent(limits -> out.put("dynamicMemory", DynamicMemoryLeaf.save(limits)));
                out.put("drives", drives.size());
                for (int i = 0; i < drives.size(); i++) {
                    out.put("drive" + i, DriveLeaf.save(drives.get(i)));
                }
                out.put("networks", networks.size());
                for (int i = 0; i < networks.size(); i++) {
                    out.put("network" + i, NetworkLeaf.save(networks.get(i)));
                }
                out.put("fibreChannels", hbas.size());
                for (int i = 0; i < hbas.size(); i++) {
                    out.put("fibreChannel" + i, FibreChannelLeaf.save(hbas.get(i)));
                }
            }
        }
        return new Leaf(NAME, VERSION, out.toByteArray());
    }

    private static StateWriter linux(LinuxSpec spec) {
        StateWriter out = new StateWriter();
        switch (spec) {
            case LinuxSpec(var kernel, var initrd, var commandLine) -> {
                switch (kernel) {
                    case LinuxSpec.Kernel.File(var path) -> out.put("kernel", absolute(path));
                    case LinuxSpec.Kernel.Debian(var release) -> out.put("debian", release);
                }
                switch (initrd) {
                    case LinuxSpec.Initrd.None() -> {}
                    case LinuxSpec.Initrd.File(var path) -> out.put("initrd", absolute(path));
                    case LinuxSpec.Initrd.Busybox(var modules) -> {
                        out.put("modules", modules.size());
                        for (int i = 0; i < modules.size(); i++) {
                            out.put("module" + i, modules.get(i));
                        }
                    }
                }
                out.put("commandLine", commandLine);
            }
        }
        return out;
    }

    private static String absolute(Path path) {
        return path.toAbsolutePath().normalize().toString();
    }

    /**
     * Reads a description.
     *
     * @throws StateException if it makes no sense
     */
    public static MachineSpec read(StateReader in) {
        in.requireVersion(VERSION);
        String name = in.getString("name");
        if (name.isBlank() || name.length() > 100) {
            throw new StateException("spec.name: not the name of a machine: \"" + name + "\"");
        }
        try {
            NumaTopology numa = NumaTopologyState.restore(in.getInner("numa"));
            return new MachineSpec(
                    name,
                    numa,
                    in.has("cpu") ? CpuSpec.parse(in.getString("cpu")) : CpuSpec.HOST,
                    in.has("dynamicMemory")
                            ? Optional.of(DynamicMemoryLeaf.read(in.getInner("dynamicMemory"), numa.memory()))
                            : Optional.empty(),
                    linux(in.getInner("linux")),
                    ResetAction.valueOf(in.getString("onReset")),
                    drives(in),
                    networks(in),
                    fibreChannels(in));
        } catch (IllegalArgumentException e) {
            throw new StateException("spec: " + e.getMessage());
        }
    }

    private static List<NetworkSpec> networks(StateReader in) {
        List<NetworkSpec> networks = new ArrayList<>();
        int count = in.has("networks") ? in.getInt("networks", 0, NetworkAdapter.MOST_ADAPTERS) : 0;
        for (int i = 0; i < count; i++) {
            networks.add(NetworkLeaf.read(in.getInner("network" + i)));
        }
        return networks;
    }

    private static List<FibreChannelSpec> fibreChannels(StateReader in) {
        List<FibreChannelSpec> adapters = new ArrayList<>();
        int count = in.has("fibreChannels") ? in.getInt("fibreChannels", 0, FibreChannelAdapter.MOST_ADAPTERS) : 0;
        for (int i = 0; i < count; i++) {
            adapters.add(FibreChannelLeaf.read(in.getInner("fibreChannel" + i)));
        }
        return adapters;
    }

    private static List<DriveSpec> drives(StateReader in) {
        List<DriveSpec> drives = new ArrayList<>();
        Set<DriveAddress> places = new HashSet<>();
        for (int i = 0; i < in.getInt("drives", 0, MAX_DRIVES); i++) {
            DriveSpec drive = DriveLeaf.read(in.getInner("drive" + i));
            if (drive.address() == null || !places.add(drive.address())) {
                throw new StateException("spec: " + drive + " has no place of its own");
            }
            drives.add(drive);
        }
        return drives;
    }

    private static LinuxSpec linux(StateReader in) {
        return new LinuxSpec(
                in.has("kernel")
                        ? new LinuxSpec.Kernel.File(path(in, "kernel"))
                        : new LinuxSpec.Kernel.Debian(in.getString("debian")),
                initrd(in),
                in.getString("commandLine"));
    }

    private static LinuxSpec.Initrd initrd(StateReader in) {
        if (in.has("initrd")) {
            return new LinuxSpec.Initrd.File(path(in, "initrd"));
        }
        if (!in.has("modules")) {
            return new LinuxSpec.Initrd.None();
        }
        List<String> modules = new ArrayList<>();
        for (int i = 0; i < in.getInt("modules", 0, MAX_MODULES); i++) {
            modules.add(in.getString("module" + i));
        }
        return new LinuxSpec.Initrd.Busybox(modules);
    }

    private static Path path(StateReader in, String field) {
        try {
            return Path.of(in.getString(field));
        } catch (InvalidPathException e) {
            throw new StateException("spec.linux." + field + ": " + e.getMessage());
        }
    }
}
