package io.javisor.api;

import io.javisor.api.state.StateFolder;
import java.nio.file.Path;
import java.time.Instant;
import java.util.UUID;

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

    private SavedState(StateFolder folder) {
        this.folder = folder;
    }

    /**
     * Reads a folder and checks every byte of it.
     *
     * @throws io.javisor.partition.state.StateException code {@code saved-state}, if there is no saved machine in it, it is
     *     damaged, or it has a format that is not known here; the message says which file, and where
     */
    public static SavedState open(Path folder) {
        return new SavedState(StateFolder.open(folder));
    }

    /** Where it is. */
    public Path folder() {
        return folder.path();
    }

    /** What the machine is. */
    public MachineSpec spec() {
        return folder.spec();
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
                Machine.restore(folder, spec(), folder.machine().uuid()));
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
        return VirtualMachine.of(Machine.restore(folder, spec().withName(name), UUID.randomUUID()));
    }

    @Override
    public String toString() {
        return "SavedState[" + spec().name() + ", " + folder() + "]";
    }
}
