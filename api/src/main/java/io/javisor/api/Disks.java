package io.javisor.api;

import io.javisor.partition.HypervisorException;
import io.javisor.storage.scsi.CopyDomain;
import io.javisor.storage.scsi.LogicalUnit;
import io.javisor.storage.scsi.Nexus;
import io.javisor.storage.storvsp.ScsiController;
import io.javisor.storage.storvsp.StorageWorkers;
import io.javisor.vmbus.VmBus;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The disks and DVD drives of a machine, which come and go while it runs or while it is stopped. Safe from any thread.
 *
 * <p>Up to 4 synthetic SCSI controllers carry 64 drives each. A controller is offered to the guest as soon as it has a drive.
 */
public final class Disks {
    private static final int MOST_THREADS = 64;
    // A system property for those who don't trust their kernel's io_uring.
    private static final String NO_RING = "javisor.disks.no-io-uring";

    private final String machine;
    private final String initiator;
    private final int vcpus;
    private final TreeMap<DriveAddress, Drive> drives = new TreeMap<>();
    private volatile Consumer<MachineEvent> events = _ -> {};
    private boolean open;
    private @Nullable Plugged plugged;

    /** The controllers of one run of the guest. */
    private static final class Plugged {
        final VmBus bus;
        final StorageWorkers workers;
        final CopyDomain copies = new CopyDomain();
        final @Nullable ScsiController[] controllers = new ScsiController[ScsiController.MOST_CONTROLLERS];

        Plugged(VmBus bus, StorageWorkers workers) {
            this.bus = bus;
            this.workers = workers;
        }
    }

    Disks(MachineSpec spec) {
        machine = spec.name();
        initiator = spec.name().replaceAll("[^\\x21-\\x7E]", "_");
        vcpus = spec.vcpus();
        for (boolean placed : new boolean[] {true, false}) { // those with a place of their own first
            for (DriveSpec drive : spec.drives()) {
                if (placed == (drive.address() != null)) {
                    DriveAddress address = place(drive.address());
                    drives.put(address, new Drive(this, address, drive));
                }
            }
        }
    }

    /** Says who hears of what happens to them. */
    void tell(Consumer<MachineEvent> listener) {
        events = listener;
    }

    /** Tells of something that happened to one of them. From any thread. */
    void publish(MachineEvent event) {
        events.accept(event);
    }

    /** All drives, in the order of their addresses. */
    public synchronized List<Drive> list() {
        return List.copyOf(drives.values());
    }

    /** The drive at an address. */
    public synchronized java.util.Optional<Drive> at(int controller, int lun) {
        return java.util.Optional.ofNullable(drives.get(new DriveAddress(controller, lun)));
    }

    /**
     * Plugs a drive in. A guest that runs sees it come; one that is started later finds it.
     *
     * @throws io.javisor.storage.disk.DiskException if the file can't be opened
     * @throws HypervisorException with code {@code drive-address} if the place is taken or none is free
     */
    public synchronized Drive add(DriveSpec spec) {
        DriveAddress address = place(spec.address());
        return plug(new Drive(this, address, spec));
    }

    /**
     * Plugs a unit of the application's own in at the next free place. It stays the application's to close, after the drive is
     * removed or the machine closed. Several machines may have the same unit: they see one disk, with its reservations.
     */
    public synchronized Drive add(LogicalUnit unit) {
        return plug(new Drive(this, place(null), unit));
    }

    private Drive plug(Drive drive) {
        Plugged run = plugged;
        if (open) {
            drive.open(machine);
        }
        try {
            if (run != null) {
                attach(run, drive);
            }
        } catch (RuntimeException | Error e) {
            drive.close();
            throw e;
        }
        drives.put(drive.address(), drive);
        return drive;
    }

    /**
     * Pulls a drive out, whether the guest likes it or not: it is told, requests in progress end, later ones fail.
     *
     * @return false if it was not there (any more)
     */
    public boolean remove(Drive drive) {
        synchronized (this) {
            if (!drives.remove(drive.address(), drive)) {
                return false;
            }
            ScsiController controller =
                    plugged == null ? null : plugged.controllers[drive.address().controller()];
            if (controller != null) {
                controller.remove(drive.address().lun());
            }
        }
        drive.close();
        return true;
    }

    /** The address asked for, or the next that is free. */
    private DriveAddress place(@Nullable DriveAddress wanted) {
        if (wanted != null) {
            if (drives.containsKey(wanted)) {
                throw new HypervisorException(
                        "drive-address",
                        "machine \"" + machine + "\" has " + drives.get(wanted) + " already",
                        "remove it, or choose another controller and LUN");
            }
            return wanted;
        }
        for (int controller = 0; controller < ScsiController.MOST_CONTROLLERS; controller++) {
            for (int lun = 0; lun < ScsiController.MOST_UNITS; lun++) {
                var address = new DriveAddress(controller, lun);
                if (!drives.containsKey(address)) {
                    return address;
                }
            }
        }
        throw new HypervisorException(
                "drive-address", "machine \"" + machine + "\" has no place for another drive", "remove one");
    }

    synchronized void limit(Drive drive, io.javisor.storage.disk.IoLimits limits) {
        ScsiController controller =
                plugged == null ? null : plugged.controllers[drive.address().controller()];
        Nexus nexus = controller == null || drives.get(drive.address()) != drive
                ? null
                : controller.target().nexuses().get(drive.address().lun());
        if (nexus != null) {
            nexus.limit(limits);
        }
    }

    /** Looks whether the files are there, before anything is started. */
    synchronized void check() {
        for (Drive drive : drives.values()) {
            drive.spec().ifPresent(spec -> {
                Path path = spec.path();
                if (path != null && (!Files.isReadable(path) || (spec.writesFile() && !Files.isWritable(path)))) {
                    throw new io.javisor.storage.disk.DiskException(
                            io.javisor.storage.disk.DiskException.Kind.OPEN,
                            "can't " + (Files.isReadable(path) ? "write " : "read ") + path
                                    + (Files.exists(path) ? ": permission denied" : ": no such file"),
                            Files.isReadable(path) ? "add it read-only or as an overlay" : "check the path");
                }
            });
        }
    }

    /** Opens all files that are not open, when the machine is started. */
    synchronized void open() {
        open = true;
        try {
            drives.values().forEach(drive -> drive.open(machine));
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /** Closes all files, when the machine has stopped. */
    synchronized void close() {
        open = false;
        drives.values().forEach(Drive::close);
    }

    /**
     * What there is now, as a description with a place for each drive, for saved state.
     *
     * @throws HypervisorException with code {@code saved-state-drive} if a drive's content is not in a file
     */
    synchronized List<DriveSpec> described() {
        return drives.values().stream().map(Drive::described).toList();
    }

    synchronized boolean isEmpty() {
        return drives.isEmpty();
    }

    /** Offers the controllers with their drives to a guest that is about to run. */
    synchronized void plugInto(VmBus bus) {
        int threads = Math.min(MOST_THREADS, 8 + 4 * vcpus);
        var run = new Plugged(bus, new StorageWorkers(machine + " disk", threads, !Boolean.getBoolean(NO_RING)));
        plugged = run;
        for (Drive drive : drives.values()) {
            attach(run, drive);
        }
    }

    /** Threads of the run, for others that wait for disks. */
    synchronized StorageWorkers workers() {
        return run().workers;
    }

    /** Within which the guest may have data copied. */
    synchronized CopyDomain copies() {
        return run().copies;
    }

    private Plugged run() {
        Plugged run = plugged;
        if (run == null) {
            throw new IllegalStateException("not plugged into a run");
        }
        return run;
    }

    private void attach(Plugged run, Drive drive) {
        int number = drive.address().controller();
        ScsiController present = run.controllers[number];
        ScsiController controller = present != null
                ? present
                : new ScsiController(number, initiator, run.workers, Math.min(vcpus, 256) - 1, run.copies);
        controller.add(drive.address().lun(), drive.open(machine), drive.limits());
        if (present == null) {
            // Offered with its first drive in place, so that the guest finds it in its first scan.
            run.bus.add(controller);
            run.controllers[number] = controller;
        }
    }

    /** Takes the drives out of a run whose bus has been closed; returns when no request touches the guest's memory any more. */
    void unplug() {
        Plugged run;
        synchronized (this) {
            run = plugged;
            plugged = null;
        }
        if (run == null) {
            return;
        }
        run.workers.close();
        for (ScsiController controller : run.controllers) {
            if (controller != null) {
                new ArrayList<>(controller.target().nexuses().keySet()).forEach(controller::remove);
            }
        }
    }
}
