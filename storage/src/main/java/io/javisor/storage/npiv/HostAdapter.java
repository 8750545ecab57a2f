package io.javisor.storage.npiv;

import io.javisor.linux.Errno;
import io.javisor.linux.LinuxException;
import io.javisor.partition.HypervisorException;
import io.javisor.storage.fibrechannel.Wwn;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** A Fibre Channel adapter of the host's own, and the virtual ports that are made and deleted at it. Safe from any thread. */
final class HostAdapter {
    private final Path sysfs;
    private final String host;
    private final Path at;

    /** @param host its name in Linux, the word and a number */
    HostAdapter(Path sysfs, String host) {
        this.sysfs = sysfs;
        this.host = host;
        at = sysfs.resolve("class/fc_host").resolve(host);
    }

    String host() {
        return host;
    }

    /**
     * Looks whether further names can log in through it.
     *
     * @throws HypervisorException with codes {@code fc-no-adapter}, {@code fc-no-npiv} or {@code fc-no-fabric}
     */
    void check() {
        if (!host.matches("host[0-9]{1,9}") || !Files.isDirectory(at)) {
            throw new HypervisorException(
                    "fc-no-adapter",
                    "no Fibre Channel adapter " + host + " in " + at.getParent() + ", where there is "
                            + some(String.join(", ", Sysfs.names(sysfs.resolve("class/fc_host")))),
                    "load the adapter's driver, as lpfc, qla2xxx or fcoe; javisor san list shows the adapters");
        }
        if (!Files.exists(at.resolve("vport_create")) || Sysfs.number(at.resolve("max_npiv_vports"), 0) == 0) {
            throw new HypervisorException(
                    "fc-no-npiv",
                    "the Fibre Channel adapter " + host + " gives no virtual ports (NPIV)",
                    "switch NPIV on in the adapter's driver or firmware, or take another adapter");
        }
        String state = Sysfs.text(at.resolve("port_state"));
        String type = Sysfs.text(at.resolve("port_type"));
        if (!state.equals("Online") || !type.matches("NL?Port.*")) {
            throw new HypervisorException(
                    "fc-no-fabric",
                    "the Fibre Channel adapter " + host + " is not logged in at a fabric: its state is " + some(state)
                            + ", its type " + some(type),
                    "connect it to a switch that is up and allows NPIV at that port; javisor san fabric is one for FCoE");
        }
    }

    private static String some(String text) {
        return text.isEmpty() ? "nothing" : text;
    }

    /** The name that it has itself. */
    String portName() {
        return Sysfs.text(at.resolve("port_name"));
    }

    /** The virtual port of a name that exists on this host, whosever it is. */
    OptionalInt find(Wwn port) {
        Path all = sysfs.resolve("class/fc_host");
        for (String other : Sysfs.names(all)) {
            if (other.matches("host[0-9]{1,9}")
                    && Sysfs.name(all.resolve(other).resolve("port_name"))
                            .filter(port::equals)
                            .isPresent()) {
                return OptionalInt.of(Integer.parseInt(other.substring("host".length())));
            }
        }
        return OptionalInt.empty();
    }

    /** What the kernel says of how a virtual port is. */
    String state(Wwn port) {
        Path all = sysfs.resolve("class/fc_vports");
        for (String vport : Sysfs.names(all)) {
            if (Sysfs.name(all.resolve(vport).resolve("port_name"))
                    .filter(port::equals)
                    .isPresent()) {
                return Sysfs.text(all.resolve(vport).resolve("vport_state"));
            }
        }
        return "";
    }

    /** Whether a virtual port is logged in. */
    boolean isOnline(int virtualHost) {
        return Sysfs.text(sysfs.resolve("class/fc_host/host" + virtualHost).resolve("port_state"))
                .equals("Online");
    }

    /**
     * Makes a virtual port.
     *
     * @throws HypervisorException with codes {@code fc-permission}, {@code fc-name-in-use} or {@code fc-port}
     */
    void create(Wwn node, Wwn port) {
        try {
            Sysfs.write(at.resolve("vport_create"), port.hex() + ":" + node.hex());
        } catch (LinuxException e) {
            throw switch (e.errno()) {
                case Errno.EACCES, Errno.EPERM ->
                    refused("fc-permission", port, e, "run as root: virtual ports belong to the host's administrator");
                case Errno.EEXIST -> refused("fc-name-in-use", port, e, "give the machine's adapter a name of its own");
                case Errno.ENOSPC ->
                    refused("fc-port", port, e, "the adapter has all virtual ports that it can have; delete some");
                default -> refused("fc-port", port, e, "see the kernel's log (dmesg)");
            };
        }
    }

    private HypervisorException refused(String code, Wwn port, LinuxException e, @Nullable String remedy) {
        return new HypervisorException(
                code,
                "no virtual port " + port + " at " + host + ": " + e.getMessage(),
                e.call(),
                e.errno(),
                remedy,
                e);
    }

    /** Deletes a virtual port. It may be gone. */
    void delete(Wwn node, Wwn port) {
        Sysfs.write(at.resolve("vport_delete"), port.hex() + ":" + node.hex());
    }

    /** Has Linux look for units: all, or one. */
    void scan(int virtualHost, String what) {
        Sysfs.write(sysfs.resolve("class/scsi_host/host" + virtualHost).resolve("scan"), what);
    }

    /** Has Linux forget a unit. */
    void forget(UnitScan.Found unit) {
        String address = unit.host() + ":" + unit.channel() + ":" + unit.target() + ":" + unit.lun();
        Sysfs.write(sysfs.resolve("class/scsi_device").resolve(address).resolve("device/delete"), "1");
    }

    /** Has commands to a target port that is lost fail soon, and not when Linux gives the port up. */
    void failSoon(UnitScan.Port port, int seconds) {
        Path file =
                sysfs.resolve("class/fc_remote_ports").resolve(port.remote()).resolve("fast_io_fail_tmo");
        if (!Sysfs.text(file).equals(Integer.toString(seconds))) {
            Sysfs.write(file, Integer.toString(seconds));
        }
    }
}
