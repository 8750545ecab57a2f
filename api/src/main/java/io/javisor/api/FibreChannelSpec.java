package io.javisor.api;

import io.javisor.storage.fibrechannel.FabricLogin;
import io.javisor.storage.fibrechannel.FibreChannelSan;
import io.javisor.storage.fibrechannel.PortNames;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.fibrechannel.WwnSet;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A Fibre Channel adapter of a machine, and the SAN that it is connected to.
 *
 * @param attachment what it is connected to
 * @param fabric which of the SAN's; empty for its first
 * @param nodeA node name (WWNN) of set A; null for one from this host's range
 * @param portA port name (WWPN) of set A; null for one from this host's range
 * @param nodeB node name of set B; null for that of set A
 * @param portB port name of set B; null for one from this host's range
 * @param active set of names that it logs in with
 */
public record FibreChannelSpec(
        Attachment attachment,
        String fabric,
        @Nullable Wwn nodeA,
        @Nullable Wwn portA,
        @Nullable Wwn nodeB,
        @Nullable Wwn portB,
        WwnSet active) {
    /** Most target ports of a SAN of the machine's own in one fabric. */
    public static final int MOST_PATHS = 16;

    /** What an adapter is connected to. */
    public sealed interface Attachment {
        /**
         * Nothing.
         *
         * @param was name of the SAN that it was connected to before the machine was saved, or empty
         */
        record None(String was) implements Attachment {}

        /**
         * A SAN of the application's, which other machines may share.
         *
         * @param san where it logs in
         */
        record San(FibreChannelSan san) implements Attachment {}

        /**
         * A SAN of the machine's own, which is there from the machine's start to its stop. Adapters that name the same one share
         * it: a file is one disk by all of them.
         *
         * @param san its name
         * @param paths target ports that the adapter finds in its fabric, 1 to 16
         * @param luns what the adapter sees there
         */
        record Files(String san, int paths, List<Lun> luns) implements Attachment {
            /** Copies the list. */
            public Files {
                luns = List.copyOf(luns);
            }
        }

        /**
         * The fabric of a Fibre Channel adapter of the host's own, where the machine's adapter is a virtual port (NPIV) from the
         * machine's start to its stop.
         *
         * @param host the adapter's name in Linux, the word and a number
         */
        record Npiv(String host) implements Attachment {}
    }

    /**
     * A disk on a SAN of the machine's own.
     *
     * @param number under which the adapter sees it, 0 to 254
     * @param drive the image and how it is opened
     */
    public record Lun(int number, DriveSpec drive) {}

    /** The names that it has; those that are not given are taken from a range. */
    PortNames names(Supplier<PortNames> range) {
        boolean given = nodeA != null && portA != null && portB != null;
        PortNames free = given ? null : range.get();
        Wwn node = nodeA != null ? nodeA : free == null ? null : free.nodeA();
        if (node == null) {
            throw new IllegalStateException("an adapter without a name");
        }
        return new PortNames(
                node,
                portA != null || free == null ? nonNull(portA) : free.portA(),
                nodeB == null ? node : nodeB,
                portB != null || free == null ? nonNull(portB) : free.portB());
    }

    /**
     * Looks at names that are all given.
     *
     * @throws IllegalArgumentException if ports can't be told apart by them
     */
    public void checkNames() {
        names(() -> {
            throw new IllegalArgumentException("names are missing");
        });
    }

    private static Wwn nonNull(@Nullable Wwn name) {
        return java.util.Objects.requireNonNull(name);
    }

    /** The same with names and a set that are known. */
    FibreChannelSpec named(PortNames names, WwnSet set) {
        return new FibreChannelSpec(
                attachment, fabric, names.nodeA(), names.portA(), names.nodeB(), names.portB(), set);
    }

    /** The same, connected to something else. */
    FibreChannelSpec at(Attachment other, String in) {
        return new FibreChannelSpec(other, in, nodeA, portA, nodeB, portB, active);
    }

    /** The disks of a SAN of the machine's own. */
    List<Lun> luns() {
        return attachment instanceof Attachment.Files(var _, var _, var luns) ? luns : List.of();
    }

    /** The images of a SAN of the machine's own. */
    public List<DriveSpec> images() {
        return luns().stream().map(Lun::drive).toList();
    }

    /** Reports what is wrong. */
    void check(String at, ProblemList problems) {
        if (portA != null && portA.equals(portB)) {
            problems.add(at + ".setB", "has the port name of setA, " + portA);
        }
        for (Wwn node : new Wwn[] {nodeA, nodeB}) {
            if (node != null && (node.equals(portA) || node.equals(portB))) {
                problems.add(at, "has " + node + " as the name of its node and of a port");
            }
        }
        if (attachment instanceof Attachment.Npiv(var host)) {
            if (!host.matches("host[0-9]{1,9}")) {
                problems.add(at + ".npiv", "is \"" + host + "\"; write the adapter's name in Linux, as host3");
            }
            if (!fabric.isEmpty()) {
                problems.add(
                        at + ".fabric", "is \"" + fabric + "\", but an adapter of the host's is in one without a name");
            }
        }
        if (!(attachment instanceof Attachment.Files(var san, var paths, var luns))) {
            return;
        }
        if (san.isBlank()) {
            problems.add(at + ".files", "needs a name for the SAN");
        }
        if (paths < 1 || paths > MOST_PATHS) {
            problems.add(at + ".paths", "is " + paths + "; 1 to " + MOST_PATHS + " are possible");
        }
        var numbers = new HashSet<Integer>();
        var files = new HashSet<Path>();
        for (Lun lun : luns) {
            String place = at + ".lun(" + lun.number() + ")";
            if (lun.number() < 0 || lun.number() >= FabricLogin.LUNS) {
                problems.add(place, "is not in 0.." + (FabricLogin.LUNS - 1));
            }
            if (!numbers.add(lun.number())) {
                problems.add(place, "is there twice");
            }
            Path file = lun.drive().path();
            if (lun.drive().kind() != DriveSpec.Kind.DISK || file == null) {
                problems.add(place, "is no disk");
            } else if (!files.add(file.toAbsolutePath().normalize())) {
                problems.add(place, "is " + file + ", which has another number already");
            }
            if (!lun.drive().limits().isNone() || lun.drive().address() != null) {
                problems.add(place, "has limits or an address, which disks at SCSI controllers have");
            }
        }
    }

    /** Collects what an adapter shall be. Not safe for several threads. */
    public static final class Builder {
        private @Nullable FibreChannelSan connected;
        private @Nullable String own;
        private @Nullable String physical;
        private String fabric = "";
        private int paths = 1;
        private final List<Integer> numbers = new ArrayList<>();
        private final List<DriveSpec.Builder> drives = new ArrayList<>();
        private @Nullable Wwn nodeA;
        private @Nullable Wwn portA;
        private @Nullable Wwn nodeB;
        private @Nullable Wwn portB;
        private WwnSet active = WwnSet.A;

        /** Connects it to a SAN of the application's, which must live longer than the machine runs. */
        public Builder connect(FibreChannelSan san) {
            connected = san;
            return this;
        }

        /** Connects it to a SAN of the machine's own, made of files. */
        public Builder files(String san) {
            own = san;
            return this;
        }

        /**
         * Connects it to the fabric of a Fibre Channel adapter of the host's own, by NPIV. The machine can only be started where
         * this adapter is, and as root.
         *
         * @param host the adapter's name in Linux, the word and a number
         */
        public Builder npiv(String host) {
            physical = host;
            return this;
        }

        /** Names the fabric; the SAN's first unless said otherwise. */
        public Builder fabric(String name) {
            fabric = name;
            return this;
        }

        /** Sets how many target ports the adapter finds at a SAN of the machine's own, 1 (the default) to 16. */
        public Builder paths(int count) {
            paths = count;
            return this;
        }

        /** Adds a disk to a SAN of the machine's own, seen under a number from 0 to 254. */
        public Builder lun(int number, Path image) {
            return lun(number, image, d -> {});
        }

        /** Adds a disk to a SAN of the machine's own, and says how it is opened. */
        public Builder lun(int number, Path image, Consumer<DriveSpec.Builder> how) {
            var drive = new DriveSpec.Builder(DriveSpec.Kind.DISK, image);
            how.accept(drive);
            numbers.add(number);
            drives.add(drive);
            return this;
        }

        /** Sets the node's name in both sets. */
        public Builder node(Wwn name) {
            nodeA = name;
            nodeB = name;
            return this;
        }

        /** Sets the port's name of set A. */
        public Builder portA(Wwn name) {
            portA = name;
            return this;
        }

        /** Sets the port's name of set B. */
        public Builder portB(Wwn name) {
            portB = name;
            return this;
        }

        /** Sets the names of set A. */
        public Builder setA(Wwn node, Wwn port) {
            nodeA = node;
            portA = port;
            return this;
        }

        /** Sets the names of set B. */
        public Builder setB(Wwn node, Wwn port) {
            nodeB = node;
            portB = port;
            return this;
        }

        /** Says which set it logs in with; A unless said otherwise. */
        public Builder active(WwnSet set) {
            active = set;
            return this;
        }

        /**
         * The description.
         *
         * @throws SpecException with all that is wrong
         */
        public FibreChannelSpec build() {
            var problems = new ProblemList();
            FibreChannelSpec spec = build("fibreChannel", problems);
            problems.throwIfAny("");
            return spec;
        }

        FibreChannelSpec build(String at, ProblemList problems) {
            if ((connected != null ? 1 : 0) + (own != null ? 1 : 0) + (physical != null ? 1 : 0) > 1) {
                problems.add(
                        at, "is connected to more than one of a SAN, one of its own, and the host's; one is possible");
            }
            if (own == null && (!drives.isEmpty() || paths != 1)) {
                problems.add(at, "has disks or paths, but no SAN of its own; name it: files(\"san\")");
            }
            var luns = new ArrayList<Lun>();
            for (int i = 0; i < drives.size(); i++) {
                luns.add(new Lun(
                        numbers.get(i), drives.get(i).build(at + ".lun(" + numbers.get(i) + ")", problems::add)));
            }
            Attachment to = connected != null
                    ? new Attachment.San(connected)
                    : own != null
                            ? new Attachment.Files(own, paths, luns)
                            : physical != null ? new Attachment.Npiv(physical) : new Attachment.None("");
            var spec = new FibreChannelSpec(to, fabric, nodeA, portA, nodeB, portB, active);
            spec.check(at, problems);
            return spec;
        }
    }

    /** Reports what is wrong with the adapters of a machine among each other. */
    static void checkTogether(List<FibreChannelSpec> specs, ProblemList problems) {
        Set<Wwn> ports = new HashSet<>();
        var files = new java.util.HashMap<List<Object>, DriveSpec>();
        for (int i = 0; i < specs.size(); i++) {
            FibreChannelSpec spec = specs.get(i);
            String at = "fibreChannels[" + i + "]";
            for (Wwn port : new Wwn[] {spec.portA(), spec.portB()}) {
                if (port != null && !ports.add(port)) {
                    problems.add(at, "has the port name " + port + ", which is there already");
                }
            }
            if (spec.attachment() instanceof Attachment.Files(var san, var _, var luns)) {
                for (Lun lun : luns) {
                    Path file = lun.drive().path();
                    DriveSpec before = file == null
                            ? null
                            : files.putIfAbsent(
                                    List.of(san, file.toAbsolutePath().normalize()), lun.drive());
                    if (before != null && !before.equals(lun.drive())) {
                        problems.add(
                                at + ".lun(" + lun.number() + ")", "is " + file + ", opened in another way before");
                    }
                }
            }
        }
    }
}
