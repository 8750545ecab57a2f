package io.javisor.api;

import io.javisor.storage.disk.DiskOptions;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.disk.IoLimits;
import io.javisor.storage.disk.ParentPolicy;
import java.nio.file.Path;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A disk or DVD drive of a machine. The file is opened when the machine starts, and closed when it stops.
 *
 * @param kind what the guest sees
 * @param path of the image or block device; null for a DVD drive that is empty
 * @param options how it is opened
 * @param overlay whether what the guest writes is kept apart, in the host's memory, and gone when the machine stops
 * @param limits what the guest may ask of it
 * @param address where it is plugged in; null for the next free place
 */
public record DriveSpec(
        Kind kind,
        @Nullable Path path,
        DiskOptions options,
        boolean overlay,
        IoLimits limits,
        @Nullable DriveAddress address) {

    /** Kinds of drives. */
    public enum Kind {
        /** A disk: {@code sd} in Linux. */
        DISK,
        /** A DVD-ROM drive: {@code sr} in Linux. */
        DVD
    }

    /** A disk with the defaults of {@link Builder}. */
    public static DriveSpec disk(Path path) {
        return new Builder(Kind.DISK, path).build();
    }

    /** A DVD drive with an image in it. */
    public static DriveSpec dvd(Path path) {
        return new Builder(Kind.DVD, path).build();
    }

    /** Begins the description of a disk. */
    public static Builder builder(Path path) {
        return new Builder(Kind.DISK, path);
    }

    /** Whether the guest's writes reach the file. */
    public boolean writesFile() {
        return kind == Kind.DISK && !overlay && !options.readOnly();
    }

    @Override
    public String toString() {
        return (kind == Kind.DVD ? "DVD " : "disk ") + (path == null ? "(empty)" : path);
    }

    /** Collects what a drive shall be. Not safe for several threads. */
    public static final class Builder {
        private final Kind kind;
        private final @Nullable Path path;
        private DiskOptions options = DiskOptions.DEFAULT;
        private boolean overlay;
        private long iops;
        private long bandwidth;
        private long minimumIops;
        private @Nullable DriveAddress address;

        Builder(Kind kind, @Nullable Path path) {
            this.kind = kind;
            this.path = path;
            if (kind == Kind.DVD) {
                options = options.withReadOnly(true).withSectorBytes(2048).withFormat(ImageFormat.RAW);
            }
        }

        /** Takes the file for this format; otherwise its name says it: {@code .vhd}, {@code .vhdx}, else raw. */
        public Builder format(ImageFormat format) {
            options = options.withFormat(format);
            return this;
        }

        /** Refuses the guest's writes. Any number of machines can read one image. */
        public Builder readOnly() {
            options = options.withReadOnly(true);
            return this;
        }

        /**
         * Leaves the file as it is: what the guest writes goes to the host's memory and is gone when the machine stops. Any number
         * of machines can stand over one image.
         */
        public Builder overlay() {
            overlay = true;
            return this;
        }

        /** Sets the sectors of a raw disk: 512 bytes (the default) or 4,096. VHD and VHDX say it themselves. */
        public Builder sectorBytes(int bytes) {
            options = options.withSectorBytes(bytes);
            return this;
        }

        /** Goes past the host's page cache (O_DIRECT). */
        public Builder direct() {
            options = options.withDirect(true);
            return this;
        }

        /**
         * Lets other processes of this host have the file as a disk at the same time, if they open it shared, too. Only for raw files
         * on a SAN of the machine's own, where reservations say who may do what.
         */
        public Builder shared() {
            options = options.withShared(true);
            return this;
        }

        /** Gives a raw disk an identity (the guest sees it as its serial number) other than that of its file. */
        public Builder identity(UUID identity) {
            options = options.withIdentity(identity);
            return this;
        }

        /** Says which parents a differencing disk may have; by default those in its own folder and below. */
        public Builder parents(ParentPolicy policy) {
            options = options.withParents(policy);
            return this;
        }

        /** Limits requests a second, counted in 8 KiB: see {@link IoLimits}. */
        public Builder iops(long most) {
            iops = most;
            return this;
        }

        /** Has the machine tell when the disk does fewer requests a second than this, counted in 8 KiB: see {@link IoLimits}. */
        public Builder minimumIops(long least) {
            minimumIops = least;
            return this;
        }

        /** Limits bytes a second: see {@link IoLimits}. */
        public Builder bandwidth(long bytes) {
            bandwidth = bytes;
            return this;
        }

        /** Plugs it in at a place of its own: controller 0 to 3, LUN 0 to 63. */
        public Builder at(int controller, int lun) {
            address = new DriveAddress(controller, lun);
            return this;
        }

        /**
         * The description.
         *
         * @throws IllegalArgumentException if a value is out of its range
         */
        public DriveSpec build() {
            return build("drive", (path, problem) -> {
                throw new IllegalArgumentException(path + " " + problem);
            });
        }

        /** The description, as far as there is one: what is wrong is reported. */
        DriveSpec build(String at, Problems problems) {
            ImageFormat format = options.format() != null || path == null ? options.format() : ImageFormat.of(path);
            int sector = options.sectorBytes();
            if (kind == Kind.DISK && sector != 512 && sector != 4096) {
                problems.add(at + ".sectorBytes", "is " + sector + "; 512 and 4096 are possible");
            } else if (kind == Kind.DISK && sector != 512 && format != ImageFormat.RAW) {
                problems.add(at + ".sectorBytes", "is given, but a " + format + " image says it itself");
            }
            if (overlay && options.readOnly()) {
                problems.add(at + ".overlay", "is there to be written, but the disk is read-only");
            }
            if (options.shared() && (overlay || options.readOnly() || format != ImageFormat.RAW)) {
                problems.add(at + ".shared", "is for raw files that are written, without an overlay");
            }
            IoLimits limits = IoLimits.NONE;
            try {
                limits = new IoLimits(iops, bandwidth, minimumIops);
            } catch (IllegalArgumentException e) {
                problems.add(at + ".limits", String.valueOf(e.getMessage()));
            }
            if (address != null) {
                address.check(at, problems);
            }
            return new DriveSpec(kind, path, overlay ? options.withReadOnly(true) : options, overlay, limits, address);
        }

        /** Hears what is wrong. */
        interface Problems {
            void add(String path, String problem);
        }
    }
}
