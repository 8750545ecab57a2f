package io.javisor.api;

import io.javisor.api.state.StateFolder;
import io.javisor.networking.vswitch.VirtualSwitch;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A machine that was saved by {@link VirtualMachine#save}: read and checked once, to be restored any number of times, also at
 * once. Machines restored from one state share its memory until they change it. Immutable; safe from any thread.
 *
 * <p>The folder must not be changed while machines that were restored from it live; it may be deleted.
 *
 * {@snippet :
 * SavedState warm = SavedState.open(Path.of("/var/lib/vms/warm"));
 * for (int i = 0; i < 100; i++) {
 *     VirtualMachine clone = warm.restoreAs("worker-" + i);
 *     clone.resume();
 * }
 * }
 */
public final class SavedState {
    private final StateFolder folder;
    private final MachineSpec spec;

    private volatile @Nullable ProcessorModel processors; // once this host has been found to have them

    private SavedState(StateFolder folder, MachineSpec spec) {
        this.folder = folder;
        this.spec = spec;
    }

    /**
     * Reads a folder and checks every byte of it.
     *
     * @throws io.javisor.partition.state.StateException code {@code saved-state}, if there is no saved machine in it, it is
     *     damaged, or it has a format that is not known here; the message says which file, and where
     */
    public static SavedState open(Path folder) {
        StateFolder read = StateFolder.open(folder);
        return new SavedState(read, read.spec());
    }

    /** Where it is. */
    public Path folder() {
        return folder.path();
    }

    /** What the machine is. */
    public MachineSpec spec() {
        return spec;
    }

    /**
     * The same machine with the adapters that were on switches of the application's plugged into these, which are found by their
     * names; their ports have the settings that they had. For the guest the cable was never pulled: its connections to others on
     * the switch go on. Adapters whose switch is not among these stay unplugged.
     *
     * {@snippet :
     * VirtualMachine web = SavedState.open(folder).on(lan).restore();
     * }
     *
     * @throws IllegalArgumentException if two of them have the same name
     */
    public SavedState on(VirtualSwitch... switches) {
        var known = new HashMap<String, VirtualSwitch>();
        for (VirtualSwitch each : switches) {
            if (known.put(each.name(), each) != null) {
                throw new IllegalArgumentException("two switches with the name \"" + each.name() + "\"");
            }
        }
        List<NetworkSpec> networks = new ArrayList<>(spec.networks());
        networks.replaceAll(network -> pluggedInto(network, known));
        return new SavedState(folder, spec.withNetworks(networks));
    }

    private static NetworkSpec pluggedInto(NetworkSpec network, Map<String, VirtualSwitch> known) {
        VirtualSwitch found =
                network.attachment() instanceof NetworkSpec.Attachment.SavedSwitch(var name) ? known.get(name) : null;
        return found == null ? network : network.at(new NetworkSpec.Attachment.Switch(found));
    }

    /**
     * The same machine with an adapter plugged into something else: a clone, for instance, that shall not be on its original's
     * network. Its address and MTU stay.
     *
     * @param number of the adapter
     * @param other what it is plugged into, and what its port is like
     * @throws IllegalArgumentException if the machine has no such adapter
     * @throws SpecException if what it is plugged into is not possible
     */
    public SavedState network(int number, NetworkSpec other) {
        List<NetworkSpec> networks = new ArrayList<>(spec.networks());
        if (number < 0 || number >= networks.size()) {
            throw new IllegalArgumentException(
                    "machine \"" + spec.name() + "\" has no adapter " + number + "; it has " + networks.size());
        }
        var problems = new ProblemList();
        other.check("network", problems);
        problems.throwIfAny(spec.name());
        NetworkSpec saved = networks.get(number);
        networks.set(number, new NetworkSpec(other.attachment(), saved.mac(), saved.mtu(), other.port()));
        return new SavedState(folder, spec.withNetworks(networks));
    }

    /** The processors that its guest knows. */
    public ProcessorDescription processor() {
        return ProcessorModel.describe(spec().cpu(), folder.processors());
    }

    /** When the guest's time stopped. */
    public Instant savedAt() {
        return folder.machine().savedAt();
    }

    /** Bytes of the guest's memory that were saved: what is not zero, in blocks of 2 MiB. */
    public long filledBytes() {
        return folder.filledBytes();
    }

    /**
     * The machine as it was: same name, same SMBIOS UUID. It is {@link MachineState#PAUSED}; {@link VirtualMachine#resume} lets
     * it go on.
     *
     * @throws io.javisor.partition.HypervisorException code {@code saved-state-incompatible} if this host can't go on with
     *     it, with all that is missing; nothing is left of the attempt
     */
    public VirtualMachine restore() {
        return VirtualMachine.of(
                Machine.restore(folder, spec, processors(), folder.machine().uuid()));
    }

    /**
     * A clone: the same guest at the same moment, as a machine of its own. It has another VM generation ID, from which Linux
     * seeds its random numbers anew, and another SMBIOS UUID, which its guest sees when it boots the next time. What programs
     * in the guest have made of its old identity (host names, keys, addresses) is theirs to renew.
     *
     * @param name of the clone, 1 to 100 characters
     * @throws io.javisor.partition.HypervisorException as {@link #restore} does
     */
    public VirtualMachine restoreAs(String name) {
        if (name.isBlank() || name.length() > 100) {
            throw new IllegalArgumentException("a machine's name has 1 to 100 characters, and not only blanks");
        }
        return VirtualMachine.of(Machine.restore(folder, spec.withName(name), processors(), UUID.randomUUID()));
    }

    /** This host is looked at once: its processors do not change, and clones are made in milliseconds. */
    private ProcessorModel processors() {
        ProcessorModel known = processors;
        if (known == null) {
            known = ProcessorModel.restored(folder.topology(), spec.cpu(), folder.processors());
            processors = known;
        }
        return known;
    }

    @Override
    public String toString() {
        return "SavedState[" + spec().name() + ", " + folder() + "]";
    }
}
