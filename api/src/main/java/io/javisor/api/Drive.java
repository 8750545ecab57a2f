package io.javisor.api;

import io.javisor.api.events.DiskStall;
import io.javisor.partition.HypervisorException;
import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskException;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.DiskOptions;
import io.javisor.storage.disk.DiskStatistics;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.disk.ImageSpec;
import io.javisor.storage.disk.IoLimits;
import io.javisor.storage.disk.MeteredDisk;
import io.javisor.storage.disk.MovableDisk;
import io.javisor.storage.disk.OverlayDisk;
import io.javisor.storage.disk.Progress;
import io.javisor.storage.scsi.DiskUnit;
import io.javisor.storage.scsi.DvdUnit;
import io.javisor.storage.scsi.LogicalUnit;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A disk or DVD drive that is plugged into a machine. Safe from any thread. Its file is open from the machine's start to its
 * stop, across resets.
 */
public final class Drive {
    private static final System.Logger LOG = System.getLogger(Drive.class.getName());

    private final Disks disks;
    private final DriveAddress address;
    private final String name;
    private final @Nullable DriveSpec spec;
    // What follows is guarded by this drive's monitor, which is not held while a disk works.
    private IoLimits limits;
    private @Nullable Path medium;
    private @Nullable LogicalUnit unit;
    private @Nullable Disk disk;
    private @Nullable MovableDisk movable;
    private @Nullable UUID identity;
    private @Nullable DiskOptions reopen;
    private DiskStatistics last = DiskStatistics.NONE;

    Drive(Disks disks, DriveAddress address, DriveSpec spec) {
        this.disks = disks;
        this.address = address;
        this.name = spec.toString();
        this.spec = spec;
        limits = spec.limits();
        medium = spec.path();
    }

    /** A drive around a unit that the application keeps. */
    Drive(Disks disks, DriveAddress address, LogicalUnit lent) {
        this.disks = disks;
        this.address = address;
        this.name = "unit " + lent.identity();
        this.spec = null;
        limits = IoLimits.NONE;
        unit = lent;
    }

    /** Where it is plugged in. */
    public DriveAddress address() {
        return address;
    }

    /** What it was made of; empty for a unit that the application brought. */
    public Optional<DriveSpec> spec() {
        return Optional.ofNullable(spec);
    }

    /** What would make the same drive again, in the same place and with the image that is in it now. */
    synchronized DriveSpec described() {
        DriveSpec made = spec;
        if (made == null || made.overlay()) {
            throw new HypervisorException(
                    "saved-state-drive",
                    this + (made == null ? " is the application's own unit" : " keeps what the guest writes in memory")
                            + ", which is not saved",
                    "remove it before the machine is saved, or use a differencing disk");
        }
        DiskOptions options = reopen == null ? made.options() : reopen;
        if (identity != null) {
            if (options.format() != ImageFormat.RAW) {
                throw new HypervisorException(
                        "saved-state-drive",
                        this + " was moved, and its new file has an identity of its own",
                        "move it to a raw file");
            }
            options = options.withIdentity(identity);
        }
        return new DriveSpec(made.kind(), medium, options, false, limits, address);
    }

    /** What the guest may ask of it. */
    public synchronized IoLimits limits() {
        return limits;
    }

    /** Changes what the guest may ask of it, at once. */
    public void limit(IoLimits to) {
        synchronized (this) {
            limits = to;
            if (disk instanceof MeteredDisk metered) {
                watch(metered);
            }
        }
        disks.limit(this, to);
    }

    private void watch(MeteredDisk metered) {
        long minimum = limits.minimumIops();
        metered.setMinimum(minimum, below -> {
            if (below) {
                LOG.log(System.Logger.Level.WARNING, "{0} does less than {1} requests a second", this, minimum);
            }
            disks.publish(new MachineEvent.DiskMinimumChanged(Instant.now(), address, minimum, below));
        });
    }

    /** What it has done since the machine last started. Zeroes for DVD drives and for units that the application brought. */
    public synchronized DiskStatistics statistics() {
        return disk instanceof MeteredDisk metered ? metered.statistics() : last;
    }

    /**
     * Puts an image into a DVD drive, in place of the one that is in.
     *
     * @throws DiskException if the image can't be opened, or this is no DVD drive
     */
    public synchronized void insert(Path image) {
        DvdUnit dvd = requireDvd();
        if (dvd == null) {
            medium = image;
            return;
        }
        Disk next = DiskImage.open(image, DriveSpec.dvd(image).options());
        closeQuietly(dvd.change(next));
        medium = image;
        disk = next;
    }

    /** Takes the image out of a DVD drive. */
    public synchronized void eject() {
        DvdUnit dvd = requireDvd();
        if (dvd != null) {
            closeQuietly(dvd.change(null));
        }
        medium = null;
        disk = null;
    }

    /** The file that it has now; empty for an empty DVD drive and for a unit that the application brought. */
    public synchronized Optional<Path> path() {
        return Optional.ofNullable(medium);
    }

    /**
     * Moves a disk of a machine that runs to another file, while the guest uses it. Returns when the other file has taken the
     * place of the first, which then is closed and stays. The guest notices nothing: its disk keeps size and identity. If anything
     * goes wrong, if the listener throws or the thread is interrupted, everything is as it was before, and the new file is gone.
     *
     * @param target of which there must be no file yet; its name says its format
     * @param layout of the target, not differencing
     * @param progress hears how far it is, on this thread
     * @throws DiskException of kind {@code UNSUPPORTED} if the machine does not run, or this is no disk with a file of its
     *     own; of kind {@code BUSY} if it is being moved; of other kinds if one of the files fails
     */
    public void move(Path target, ImageSpec.Layout layout, Progress progress) {
        relocate(target, layout, progress);
    }

    /**
     * As {@link #move}, and deletes the file that the disk was in, once the other has taken its place.
     *
     * @throws DiskException as {@link #move} does, when everything is as it was before; and of kind {@code WRITE} if the first file
     *     can't be deleted, when the disk has moved all the same
     */
    public void moveAndDelete(Path target, ImageSpec.Layout layout, Progress progress) {
        Path left = relocate(target, layout, progress);
        try {
            Files.delete(left);
        } catch (IOException e) {
            throw new DiskException(
                    DiskException.Kind.WRITE,
                    name + " has moved to " + target + ", but " + left + " can't be deleted: " + e,
                    null,
                    0,
                    "delete it by hand",
                    e);
        }
    }

    /** Returns the file that it has left. */
    private Path relocate(Path target, ImageSpec.Layout layout, Progress progress) {
        MovableDisk moved;
        synchronized (this) {
            MovableDisk present = movable;
            if (present == null || spec == null || spec.overlay()) {
                throw new DiskException(
                        DiskException.Kind.UNSUPPORTED,
                        name + " can't be moved: " + (present == null ? "it is not in use" : "it is an overlay"),
                        "start the machine, or use ImageWork.convert");
            }
            moved = present;
        }
        ImageFormat format = ImageFormat.of(target);
        int sector = moved.traits().sectorBytes();
        DiskImage.create(
                target,
                new ImageSpec(
                        format, layout, moved.size(), 0, sector, moved.traits().physicalSectorBytes(), null));
        boolean done = false;
        Disk next = null;
        try {
            DiskOptions options = DiskOptions.DEFAULT
                    .withDirect(spec.options().direct())
                    .withFormat(format)
                    .withSectorBytes(format == ImageFormat.RAW ? sector : 512);
            next = DiskImage.open(target, options);
            Disk source = moved.move(next, progress);
            done = true;
            Path left;
            synchronized (this) {
                left = Objects.requireNonNull(medium); // a disk always has one
                medium = target;
                identity = moved.traits().identity();
                reopen = options;
            }
            closeQuietly(source);
            return left;
        } finally {
            if (!done) {
                closeQuietly(next);
                try {
                    Files.deleteIfExists(target);
                } catch (IOException e) {
                    LOG.log(System.Logger.Level.WARNING, "an unfinished copy of " + name + " is left", e);
                }
            }
        }
    }

    /** The drive; null while the machine is stopped. */
    private @Nullable DvdUnit requireDvd() {
        if (spec == null || spec.kind() != DriveSpec.Kind.DVD) {
            throw new DiskException(DiskException.Kind.UNSUPPORTED, name + " is no DVD drive", null);
        }
        return (DvdUnit) unit;
    }

    /** Opens its file unless it is open. */
    synchronized LogicalUnit open(String machine) {
        LogicalUnit present = unit;
        if (present != null) {
            return present;
        }
        DriveSpec described = Objects.requireNonNull(spec); // a lent unit is always present
        Path path = medium;
        if (described.kind() == DriveSpec.Kind.DVD) {
            UUID identity = UUID.nameUUIDFromBytes(("dvd " + machine + " " + address).getBytes(StandardCharsets.UTF_8));
            Disk image = path == null ? null : DiskImage.open(path, described.options());
            disk = image;
            var dvd = new DvdUnit(identity, image);
            unit = dvd;
            return dvd;
        }
        if (path == null) {
            throw new IllegalStateException("a disk without a file");
        }
        DiskOptions moved = reopen;
        Disk image = DiskImage.open(path, moved == null ? described.options() : moved);
        var placed = new MovableDisk(described.overlay() ? OverlayDisk.inMemory(image, true) : image, identity);
        movable = placed;
        var metered = new MeteredDisk(placed);
        watch(metered);
        metered.onStall(stall -> new DiskStall(machine, toString(), stall).commit());
        disk = metered;
        var made = new DiskUnit(metered);
        unit = made;
        return made;
    }

    /** Closes its file, if it is its own; requests in progress end first. */
    synchronized void close() {
        if (spec == null) {
            return;
        }
        last = statistics();
        Disk open = disk;
        disk = null;
        movable = null;
        unit = null;
        closeQuietly(open);
    }

    private void closeQuietly(@Nullable Disk open) {
        if (open == null) {
            return;
        }
        try {
            open.close();
        } catch (DiskException e) {
            // The machine has to end all the same; the guest has been told of each write that failed.
            LOG.log(System.Logger.Level.WARNING, "closing " + name, e);
        }
    }

    @Override
    public String toString() {
        return name + " at " + address;
    }
}
