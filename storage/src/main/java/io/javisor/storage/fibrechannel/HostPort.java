package io.javisor.storage.fibrechannel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A port of a Fibre Channel adapter of the host's own, as Linux shows it in {@code /sys/class/fc_host}, and what it sees. What
 * the kernel does not tell is empty.
 *
 * @param host its name in Linux, the word and a number
 * @param portName its WWPN
 * @param nodeName its WWNN
 * @param type how it is connected, as {@code NPort (fabric via point-to-point)}
 * @param state as {@code Online}
 * @param speed as {@code 16 Gbit}
 * @param virtualPorts how many virtual ports (NPIV) it has and may have, in words
 * @param remotePorts what it sees at its fabric
 * @param units the SCSI units behind those
 */
public record HostPort(
        String host,
        String portName,
        String nodeName,
        String type,
        String state,
        String speed,
        String virtualPorts,
        List<RemoteName> remotePorts,
        List<HostUnit> units) {
    private static final Pattern REMOTE = Pattern.compile("rport-([0-9]+):[0-9]+-[0-9]+");
    private static final Pattern UNIT = Pattern.compile("([0-9]+):([0-9]+):([0-9]+):([0-9]+)");
    private static final long SECTOR = 512; // in which Linux counts a disk's size, whatever its sectors are

    /** Copies the lists. */
    public HostPort {
        remotePorts = List.copyOf(remotePorts);
        units = List.copyOf(units);
    }

    /**
     * A port that a host's port sees.
     *
     * @param portName its WWPN
     * @param nodeName its WWNN
     * @param roles as {@code FCP Target}
     * @param state as {@code Online}
     */
    public record RemoteName(String portName, String nodeName, String roles, String state) {}

    /**
     * A unit that a host's port sees.
     *
     * @param portName WWPN of the target port
     * @param lun its number
     * @param description what it says of itself, its device and size
     */
    public record HostUnit(String portName, long lun, String description) {}

    /**
     * All ports, by their hosts' numbers.
     *
     * @param sysfs where the kernel's file system of that name is, {@code /sys}
     */
    public static List<HostPort> list(Path sysfs) {
        return names(sysfs.resolve("class/fc_host")).stream()
                .filter(name -> name.matches("host[0-9]+"))
                .sorted((a, b) -> Integer.compare(number(a), number(b)))
                .map(name -> read(sysfs, name))
                .toList();
    }

    private static int number(String host) {
        return Integer.parseInt(host.substring("host".length()));
    }

    private static HostPort read(Path sysfs, String host) {
        Path at = sysfs.resolve("class/fc_host").resolve(host);
        String most = text(at.resolve("max_npiv_vports"));
        return new HostPort(
                host,
                name(at.resolve("port_name")),
                name(at.resolve("node_name")),
                text(at.resolve("port_type")),
                text(at.resolve("port_state")),
                text(at.resolve("speed")),
                most.isEmpty() || most.equals("0")
                        ? "no NPIV"
                        : text(at.resolve("npiv_vports_inuse")) + " of " + most + " virtual ports",
                remotes(sysfs, number(host)),
                units(sysfs, number(host)));
    }

    private static List<RemoteName> remotes(Path sysfs, int host) {
        var found = new ArrayList<RemoteName>();
        Path all = sysfs.resolve("class/fc_remote_ports");
        for (String name : names(all)) {
            Matcher parts = REMOTE.matcher(name);
            if (parts.matches() && Integer.parseInt(parts.group(1)) == host) {
                Path at = all.resolve(name);
                found.add(new RemoteName(
                        name(at.resolve("port_name")),
                        name(at.resolve("node_name")),
                        text(at.resolve("roles")),
                        text(at.resolve("port_state"))));
            }
        }
        return found;
    }

    private static List<HostUnit> units(Path sysfs, int host) {
        var found = new ArrayList<HostUnit>();
        Path all = sysfs.resolve("class/scsi_device");
        for (String name : names(all)) {
            Matcher parts = UNIT.matcher(name);
            if (!parts.matches() || Integer.parseInt(parts.group(1)) != host) {
                continue;
            }
            String target = "target" + host + ":" + parts.group(2) + ":" + parts.group(3);
            Path device = all.resolve(name).resolve("device");
            var words = new ArrayList<String>();
            for (String file : new String[] {"vendor", "model", "wwid"}) {
                words.add(text(device.resolve(file)));
            }
            for (String block : names(device.resolve("block"))) {
                String sectors = text(device.resolve("block").resolve(block).resolve("size"));
                words.add("/dev/" + block);
                words.add(sectors.matches("[0-9]{1,15}") ? Long.parseLong(sectors) * SECTOR + " bytes" : "");
            }
            words.removeIf(String::isEmpty);
            found.add(new HostUnit(
                    name(sysfs.resolve("class/fc_transport").resolve(target).resolve("port_name")),
                    Long.parseLong(parts.group(4)),
                    String.join(" ", words)));
        }
        return found;
    }

    /** Names in a folder; none if it is not there. */
    private static List<String> names(Path folder) {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        } catch (NoSuchFileException | NotDirectoryException e) {
            return List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A world-wide name as it is usually written; as the kernel has it if it is none. */
    private static String name(Path file) {
        String text = text(file);
        try {
            return Wwn.of(text).toString();
        } catch (IllegalArgumentException e) {
            return text;
        }
    }

    /** A file's line; empty if the kernel does not tell it. */
    private static String text(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            return "";
        }
    }
}
