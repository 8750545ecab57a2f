package io.javisor.api;

import io.javisor.partition.HypervisorException;
import io.javisor.storage.fibrechannel.FibreChannelSan;
import io.javisor.storage.fibrechannel.SoftwareSan;
import io.javisor.storage.fibrechannel.WwnRange;
import io.javisor.storage.npiv.NpivSan;
import io.javisor.storage.scsi.CopyDomain;
import io.javisor.storage.storvsp.FibreChannelAdapter;
import io.javisor.storage.storvsp.StorageWorkers;
import io.javisor.vmbus.VmBus;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The Fibre Channel adapters of a machine, up to 4, which come and go while it runs or while it is stopped. Safe from any
 * thread.
 */
public final class MachineFibreChannel {
    private final String machine;
    private final int vcpus;
    private final TreeMap<Integer, MachineHba> adapters = new TreeMap<>();
    private final DescribedSans sans = new DescribedSans();
    private boolean open;
    private @Nullable Plugged plugged;

    /** What a run of the guest has for its adapters. */
    record Plugged(VmBus bus, StorageWorkers workers, CopyDomain copies, int subChannels) {}

    MachineFibreChannel(MachineSpec spec) {
        machine = spec.name();
        vcpus = spec.vcpus();
        for (int i = 0; i < spec.fibreChannels().size(); i++) {
            adapters.put(i, make(i, spec.fibreChannels().get(i)));
        }
    }

    private MachineHba make(int number, FibreChannelSpec spec) {
        return new MachineHba(this, number, spec.names(() -> WwnRange.ofHost().names(machine + "/fc" + number)), spec);
    }

    /** All adapters, in the order of their numbers. */
    public synchronized List<MachineHba> adapters() {
        return List.copyOf(adapters.values());
    }

    /**
     * The adapter of a number.
     *
     * @throws IllegalArgumentException if there is none
     */
    public synchronized MachineHba adapter(int number) {
        MachineHba found = adapters.get(number);
        if (found == null) {
            throw new IllegalArgumentException("machine \"" + machine + "\" has no Fibre Channel adapter " + number
                    + "; it has " + adapters.keySet());
        }
        return found;
    }

    /** The SAN of the machine's own that has a name; there are none while the machine is stopped. */
    public synchronized Optional<SoftwareSan> san(String name) {
        return Optional.ofNullable(sans.find(name));
    }

    /** The fabric of a host's adapter that adapters here are at by their descriptions; there are none while the machine is stopped. */
    synchronized Optional<NpivSan> npiv(String host) {
        return Optional.ofNullable(sans.npiv(host));
    }

    /**
     * Adds an adapter with the lowest number that is free. A guest that runs sees it come.
     *
     * @throws HypervisorException with code {@code fc-adapters} if the machine has 4 already, or as a login throws
     */
    public synchronized MachineHba add(FibreChannelSpec spec) {
        int number = 0;
        while (adapters.containsKey(number)) {
            number++;
        }
        if (number >= FibreChannelAdapter.MOST_ADAPTERS) {
            throw new HypervisorException(
                    "fc-adapters",
                    "machine \"" + machine + "\" has " + number + " Fibre Channel adapters, the most possible",
                    "remove one");
        }
        MachineHba adapter = make(number, spec);
        adapters.put(number, adapter);
        try {
            if (open) {
                sans.open(adapter, adapters.values());
            }
            Plugged run = plugged;
            if (run != null) {
                start(adapter, run);
            }
        } catch (RuntimeException | Error e) {
            adapters.remove(number);
            throw e;
        }
        return adapter;
    }

    /**
     * Removes an adapter. A guest that runs sees it go, with its disks.
     *
     * @return false if it was not there (any more)
     */
    public synchronized boolean remove(MachineHba adapter) {
        if (!adapters.remove(adapter.number(), adapter)) {
            return false;
        }
        adapter.remove();
        return true;
    }

    synchronized boolean isEmpty() {
        return adapters.isEmpty();
    }

    /** Looks whether the files are there, before anything is started. */
    synchronized void check() {
        for (MachineHba adapter : adapters.values()) {
            adapter.spec().luns().forEach(lun -> DescribedSans.check(lun.drive()));
        }
    }

    /** Opens all files that are not open, when the machine is started. */
    synchronized void open() {
        open = true;
        try {
            sans.open(adapters.values());
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /** Closes all files, when the machine has stopped. */
    synchronized void close() {
        open = false;
        sans.close();
    }

    /**
     * What there is now, for saved state.
     *
     * @throws HypervisorException with code {@code saved-state-fc} if the numbers have gaps, {@code saved-state-drive} if a
     *     disk's content is not in a file
     */
    synchronized List<FibreChannelSpec> described() {
        if (!adapters.isEmpty() && adapters.lastKey() != adapters.size() - 1) {
            throw new HypervisorException(
                    "saved-state-fc",
                    "machine \"" + machine + "\" has the Fibre Channel adapters " + adapters.keySet()
                            + ", which can't be described",
                    "remove those after the gap, or add one, before saving");
        }
        return adapters.values().stream().map(MachineHba::described).toList();
    }

    /** Offers the adapters to a guest that is about to run, after its other disks. */
    synchronized void plugInto(VmBus bus, Disks disks) {
        var run = new Plugged(bus, disks.workers(), disks.copies(), Math.min(vcpus, 256) - 1);
        plugged = run;
        adapters.values().forEach(adapter -> start(adapter, run));
    }

    private void start(MachineHba adapter, Plugged run) {
        FibreChannelSpec spec = adapter.spec();
        FibreChannelSan san = switch (spec.attachment()) {
            case FibreChannelSpec.Attachment.None _ -> null;
            case FibreChannelSpec.Attachment.San(var of) -> of;
            case FibreChannelSpec.Attachment.Files(var name, var _, var _) -> sans.find(name);
            case FibreChannelSpec.Attachment.Npiv(var host) -> sans.npiv(host);
        };
        boolean own = spec.attachment() instanceof FibreChannelSpec.Attachment.Files;
        adapter.start(run, san, own ? DescribedSans.fabric(spec) : spec.fabric());
    }

    /** Takes the adapters out of a run whose bus has been closed, when no request touches the guest's memory any more. */
    synchronized void unplug() {
        plugged = null;
        adapters.values().forEach(MachineHba::stop);
    }
}
