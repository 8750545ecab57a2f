package io.javisor.storage.fibrechannel;

import io.javisor.partition.HypervisorException;
import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.DiskOptions;
import io.javisor.storage.scsi.AccessState;
import io.javisor.storage.scsi.CopyDomain;
import io.javisor.storage.scsi.DiskUnit;
import io.javisor.storage.scsi.FileReservationStore;
import io.javisor.storage.scsi.LogicalUnit;
import io.javisor.storage.scsi.PortGroups;
import io.javisor.storage.scsi.ReservationStore;
import io.javisor.storage.scsi.TargetPort;
import io.javisor.storage.scsi.UnitSharing;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CopyOnWriteArraySet;
import org.jspecify.annotations.Nullable;

/**
 * A SAN in this process: target ports in one or several fabrics, and volumes that initiators see as zones and masks allow. A
 * volume has one identity by whatever port it is reached, and one set of reservations for all machines of this process, and of other
 * processes of this host if its file is opened shared.
 *
 * <p>Ports are there from the beginning; volumes, zones and masks change while machines run, which are told of it. Links can be
 * cut and mended. Close it after the machines that use it. Safe from any thread.
 */
public final class SoftwareSan implements FibreChannelSan, AutoCloseable {
    /** The fabric that there is if nothing is said of fabrics. */
    public static final String ONLY_FABRIC = "a";

    private final String name;
    private final List<SanPort> ports;
    private final Set<String> cut = new CopyOnWriteArraySet<>(); // fabrics that are down
    // The rest is guarded by this object's monitor, which is not held while a disk works or an initiator is told.
    private final List<SanVolume> volumes = new ArrayList<>();
    private final List<SoftwareLogin> logins = new CopyOnWriteArrayList<>();
    private final Zoning zoning = new Zoning();
    private volatile boolean closed;

    private SoftwareSan(String name, List<SanPort> ports) {
        this.name = name;
        this.ports = List.copyOf(ports);
    }

    /** Begins the description of a SAN. */
    public static Builder builder(String name) {
        return new Builder(name);
    }

    /** A SAN of one port in one fabric. */
    public static SoftwareSan of(String name) {
        return builder(name).build();
    }

    @Override
    public String name() {
        return name;
    }

    /** Its target ports, in the order of their target IDs. */
    public List<SanPort> ports() {
        return ports;
    }

    /** Its volumes, in the order in which they were added. */
    public synchronized List<SanVolume> volumes() {
        return List.copyOf(volumes);
    }

    /** Names of the initiator ports that are logged in. */
    public List<Wwn> initiators() {
        return logins.stream().map(SoftwareLogin::name).toList();
    }

    /**
     * Adds a unit of the application's own, which stays the application's to close, after the SAN. Nobody sees it yet.
     *
     * @throws IllegalArgumentException if a volume of this name or with this unit is there
     */
    public SanVolume add(String volume, LogicalUnit unit) {
        return add(volume, unit, null);
    }

    /**
     * Opens a disk image and adds it. Nobody sees it yet. Reservations that shall outlive the machines (APTPL) are kept beside
     * the file, as {@code FILE.reservations}, unless it is read-only.
     *
     * <p>A file that is opened {@linkplain DiskOptions#shared() shared} may be a volume of other processes' SANs on this host at the
     * same time, under other initiators' names. They have one set of reservations and of unit attentions of these, kept in
     * {@code FILE.shared} as long as one of them has the file open.
     *
     * @throws io.javisor.storage.disk.DiskException if the file can't be opened; of kind {@code UNSUPPORTED} if it can't be shared, of
     *     kind {@code FORMAT} if what is shared is damaged
     * @throws IllegalArgumentException if a volume of this name is there
     */
    public SanVolume open(String volume, Path file, DiskOptions options) {
        ReservationStore store = options.readOnly()
                ? null
                : new FileReservationStore(file.resolveSibling(file.getFileName() + ".reservations"));
        if (!options.shared()) {
            return open(volume, DiskImage.open(file, options), store);
        }
        Disk disk = DiskImage.openShared(file, options);
        try {
            UnitSharing sharing = UnitSharing.open(file);
            try {
                return add(volume, new DiskUnit(disk, store, sharing), () -> {
                    disk.close();
                    sharing.close();
                });
            } catch (RuntimeException | Error e) {
                sharing.close();
                throw e;
            }
        } catch (RuntimeException | Error e) {
            disk.close();
            throw e;
        }
    }

    /**
     * Adds a disk, which is closed with the SAN, or when the volume is removed. Nobody sees it yet.
     *
     * @param store where reservations outlive the SAN, or null if they don't
     * @throws IllegalArgumentException if a volume of this name is there
     */
    public SanVolume open(String volume, Disk disk, @Nullable ReservationStore store) {
        try {
            return add(volume, new DiskUnit(disk, store), disk::close);
        } catch (RuntimeException | Error e) {
            disk.close();
            throw e;
        }
    }

    private synchronized SanVolume add(String volume, LogicalUnit unit, @Nullable Runnable letGo) {
        requireOpen();
        for (SanVolume other : volumes) {
            if (other.name().equals(volume) || other.unit().equals(unit)) {
                throw new IllegalArgumentException(
                        "SAN " + name + " has the volume " + volume + ", or its unit as " + other.name() + ", already");
            }
        }
        var groups = new PortGroups(ports.stream().map(SanPort::port).toList());
        unit.setPortGroups(groups);
        var added = new SanVolume(this, volume, unit, letGo, groups);
        volumes.add(added);
        return added;
    }

    /**
     * Takes a volume away from all who see it. A disk that the SAN opened is closed when requests in progress have ended.
     *
     * @return false if it was not there (any more)
     */
    public boolean remove(SanVolume volume) {
        boolean[] there = new boolean[1];
        change(() -> there[0] = volumes.remove(volume));
        if (there[0]) {
            volume.close();
        }
        return there[0];
    }

    /** Says what a group of target ports lets through to all volumes (ALUA). */
    public void setAccess(int group, AccessState state) {
        volumes().forEach(volume -> volume.setAccess(group, state));
    }

    /** Makes or changes a zone: ports in it see each other, those that are in no zone with them don't. */
    public void zone(String zone, Set<Wwn> members) {
        change(() -> zoning.set(zone, members));
    }

    /** Removes a zone; false if it was not there. */
    public boolean removeZone(String zone) {
        boolean[] there = new boolean[1];
        change(() -> there[0] = zoning.remove(zone));
        return there[0];
    }

    /** Says whether ports that are in no zone at all see each other; they do unless said otherwise. */
    public void openDefaultZone(boolean open) {
        change(() -> zoning.setOpen(open));
    }

    /** The zones, with their members. */
    public synchronized Map<String, Set<Wwn>> zones() {
        return zoning.zones();
    }

    /** Cuts a whole fabric: commands that come by its ports end with an error, also those in progress. */
    public void failFabric(String fabric) {
        requireFabric(fabric);
        cut.add(fabric);
    }

    /** Mends a fabric. */
    public void restoreFabric(String fabric) {
        requireFabric(fabric);
        cut.remove(fabric);
    }

    private void requireFabric(String fabric) {
        if (ports.stream().noneMatch(port -> port.fabric().equals(fabric))) {
            throw new HypervisorException(
                    "fc-no-fabric",
                    "SAN " + name + " has no fabric \"" + fabric + "\"; it has "
                            + ports.stream().map(SanPort::fabric).distinct().toList(),
                    "name one of these");
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new HypervisorException(
                    "fc-san-closed", "SAN " + name + " is closed", "close machines before their SAN");
        }
    }

    @Override
    public FabricLogin login(String fabric, Wwn node, Wwn port, CopyDomain copies, Runnable changed) {
        String in = fabric.isEmpty() ? ports.getFirst().fabric() : fabric;
        requireFabric(in);
        var login = new SoftwareLogin(this, in, port, copies, changed);
        synchronized (this) {
            requireOpen();
            if (logins.stream().anyMatch(other -> other.name().equals(port))
                    || ports.stream().anyMatch(other -> other.name().equals(port))) {
                throw new HypervisorException(
                        "fc-name-in-use",
                        "port name " + port + " is logged in at SAN " + name + " already",
                        "give each adapter names of its own, or end the machine that has them");
            }
            logins.add(login);
            try {
                login.follow();
            } catch (RuntimeException | Error e) {
                login.close();
                throw e;
            }
        }
        return login;
    }

    void logOut(SoftwareLogin login, Runnable letGo) {
        synchronized (this) {
            if (logins.remove(login)) {
                letGo.run();
            }
        }
    }

    /** Changes who sees what, and tells those for whom it is something else. */
    void change(Runnable what) {
        List<SoftwareLogin> concerned;
        synchronized (this) {
            what.run();
            concerned = logins.stream().filter(SoftwareLogin::follow).toList();
        }
        concerned.forEach(SoftwareLogin::tell);
    }

    /** Undoes a change and throws if somebody would see two volumes under one number. */
    void requireDistinct(Runnable undo) {
        Set<Wwn> known = new HashSet<>(initiators());
        volumes.forEach(volume -> known.addAll(volume.masked()));
        try {
            unitsFor(null);
            known.forEach(this::unitsFor);
        } catch (IllegalArgumentException e) {
            undo.run();
            throw e;
        }
    }

    /** What an initiator sees, by number; null for one without numbers of its own. Guarded by this object's monitor. */
    Map<Integer, SanVolume> unitsFor(@Nullable Wwn initiator) {
        var units = new TreeMap<Integer, SanVolume>();
        for (SanVolume volume : volumes) {
            Integer lun = volume.lunFor(initiator);
            SanVolume other = lun == null ? null : units.put(lun, volume);
            if (other != null) {
                throw new IllegalArgumentException("LUN " + lun + " of " + Objects.toString(initiator, "everybody")
                        + " is " + other + ", and can't be " + volume);
            }
        }
        return units;
    }

    boolean allows(Wwn initiator, SanPort port) {
        return zoning.allows(initiator, port.name());
    }

    boolean isUp(SanPort port) {
        return !closed && port.isLinked() && !cut.contains(port.fabric());
    }

    /** Cuts all links, and closes the disks that it opened. Idempotent. */
    @Override
    public void close() {
        List<SanVolume> all;
        synchronized (this) {
            closed = true;
            all = List.copyOf(volumes);
            volumes.clear();
        }
        all.forEach(SanVolume::close);
    }

    @Override
    public String toString() {
        return "SAN " + name;
    }

    /** Collects what a SAN shall be. Not safe for several threads. */
    public static final class Builder {
        private final String name;
        private final List<SanPort> ports = new ArrayList<>();

        Builder(String name) {
            if (name.isBlank()) {
                throw new IllegalArgumentException("a SAN has a name");
            }
            this.name = name;
        }

        /** Adds a target port to a fabric, in a target port group of its own. */
        public Builder port(String fabric, Wwn port) {
            return port(fabric, port, ports.size() + 1);
        }

        /** Adds a target port to a fabric and to a target port group, from 1. */
        public Builder port(String fabric, Wwn port, int group) {
            if (ports.size() == FabricLogin.TARGETS) {
                throw new IllegalArgumentException(FabricLogin.TARGETS + " ports are the most possible");
            }
            ports.add(new SanPort(fabric, port, new TargetPort(ports.size() + 1, group)));
            return this;
        }

        /** Adds target ports to a fabric, with names that follow from the SAN's name. */
        public Builder ports(String fabric, int howMany) {
            for (int i = 0; i < howMany; i++) {
                UUID hash = UUID.nameUUIDFromBytes(
                        (name + "/" + fabric + "/" + ports.size()).getBytes(StandardCharsets.UTF_8));
                port(
                        fabric,
                        new Wwn(3L << 60 | hash.getLeastSignificantBits() & -1L >>> 4)); // NAA 3: given out locally
            }
            return this;
        }

        /**
         * The SAN; one port in the fabric {@value SoftwareSan#ONLY_FABRIC} if nothing was said of ports.
         *
         * @throws IllegalArgumentException if two ports have one name
         */
        public SoftwareSan build() {
            if (ports.isEmpty()) {
                ports(ONLY_FABRIC, 1);
            }
            if (ports.stream().map(SanPort::name).distinct().count() != ports.size()) {
                throw new IllegalArgumentException("two ports of SAN " + name + " have one name");
            }
            return new SoftwareSan(name, ports);
        }
    }
}
