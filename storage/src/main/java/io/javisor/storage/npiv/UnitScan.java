package io.javisor.storage.npiv;

import io.javisor.storage.fibrechannel.Wwn;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What Linux knows of the targets and units behind one of its SCSI hosts. Reads files, and keeps nothing. */
final class UnitScan {
    private static final Pattern REMOTE = Pattern.compile("rport-([0-9]+):([0-9]+)-([0-9]+)");
    private static final Pattern ADDRESS = Pattern.compile("([0-9]+):([0-9]+):([0-9]+):([0-9]{1,18})");
    private static final int PAGE = 4096;
    private static final int DEFAULT_MOST = 1 << 20;

    /** Peripheral device types (SPC-4 table 138) that Linux makes block devices for: disks, CDs, optical memory, simplified disks. */
    private static final Set<Integer> BLOCK_TYPES = Set.of(0x00, 0x05, 0x07, 0x0E);

    private final Path sysfs;
    private final int host;

    UnitScan(Path sysfs, int host) {
        this.sysfs = sysfs;
        this.host = host;
    }

    /**
     * A target port.
     *
     * @param remote its name in Linux
     * @param name its WWPN
     * @param online whether it can be reached
     * @param channel that Linux gives it
     * @param target that Linux gives it; −1 for none
     */
    record Port(String remote, Wwn name, boolean online, int channel, int target) {}

    /**
     * A unit.
     *
     * @param host in Linux
     * @param channel in Linux
     * @param target in Linux
     * @param lun its number
     * @param device below /dev
     * @param identity its name by all paths
     * @param blockBytes of its blocks; 0 if it has none
     * @param mostBytes that the host's adapter takes at once
     * @param writable whether Linux may write to it
     */
    record Found(
            int host,
            int channel,
            int target,
            long lun,
            String device,
            String identity,
            int blockBytes,
            long mostBytes,
            boolean writable) {}

    /** The target ports, by their names. */
    Map<Wwn, Port> ports() {
        var found = new TreeMap<Wwn, Port>();
        Path all = sysfs.resolve("class/fc_remote_ports");
        for (String remote : Sysfs.names(all)) {
            Matcher parts = REMOTE.matcher(remote);
            if (!parts.matches() || number(parts, 1) != host) {
                continue;
            }
            Path at = all.resolve(remote);
            int target = (int) Sysfs.number(at.resolve("scsi_target_id"), -1);
            if (Sysfs.text(at.resolve("roles")).contains("FCP Target")) {
                boolean online = Sysfs.text(at.resolve("port_state")).equals("Online");
                Sysfs.name(at.resolve("port_name"))
                        .ifPresent(name ->
                                found.put(name, new Port(remote, name, online, (int) number(parts, 2), target)));
            }
        }
        return found;
    }

    /** The units of a target port that have a device, ready for use. */
    List<Found> units(Port port) {
        var found = new ArrayList<Found>();
        Path all = sysfs.resolve("class/scsi_device");
        for (String address : Sysfs.names(all)) {
            Matcher parts = ADDRESS.matcher(address);
            if (parts.matches()
                    && number(parts, 1) == host
                    && number(parts, 2) == port.channel()
                    && number(parts, 3) == port.target()) {
                Found unit = unit(all.resolve(address).resolve("device"), port, number(parts, 4));
                if (unit != null) {
                    found.add(unit);
                }
            }
        }
        return found;
    }

    /**
     * Whether a unit is still by the device that it was by. Devices' names are given again to others, but not while they are open:
     * so who asks after opening one has opened the right one.
     */
    boolean isStill(Port port, Found unit) {
        return units(port).contains(unit);
    }

    private static long number(Matcher parts, int group) {
        return Long.parseLong(parts.group(group));
    }

    private @Nullable Found unit(Path device, Port port, long lun) {
        String block = Sysfs.first(device.resolve("block"));
        String generic = Sysfs.first(device.resolve("scsi_generic"));
        String identity = Sysfs.text(device.resolve("wwid"));
        if (identity.isEmpty()) {
            identity = "LUN " + lun + " of " + port.name();
        }
        if (block == null) {
            // Linux makes a disk's device a moment after its generic one, by which no blocks could be counted.
            boolean comes = BLOCK_TYPES.contains((int) Sysfs.number(device.resolve("type"), -1));
            return generic == null || comes
                    ? null
                    : new Found(host, port.channel(), port.target(), lun, generic, identity, 0, DEFAULT_MOST, true);
        }
        Path queue = device.resolve("block").resolve(block).resolve("queue");
        int blockBytes = (int) Sysfs.number(queue.resolve("logical_block_size"), -1);
        long mostKib = Sysfs.number(queue.resolve("max_hw_sectors_kb"), -1);
        long segments = Sysfs.number(queue.resolve("max_segments"), -1);
        if (blockBytes <= 0 || mostKib < 0 || segments < 0) {
            return null; // the device is being made
        }
        // Each page of the guest may be a segment of its own, and the first need not begin with its page.
        long most = Math.min(mostKib << 10, (Math.max(2, segments) - 1) * PAGE);
        most = Math.max(blockBytes, most / blockBytes * blockBytes);
        boolean writable = !Sysfs.text(device.resolve("block").resolve(block).resolve("ro"))
                .equals("1");
        return new Found(host, port.channel(), port.target(), lun, block, identity, blockBytes, most, writable);
    }
}
