package io.javisor.storage.npiv;

import io.javisor.linux.LinuxException;
import io.javisor.partition.HypervisorException;
import io.javisor.storage.fibrechannel.FabricLogin;
import io.javisor.storage.fibrechannel.FibreChannelSan;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.scsi.CopyDomain;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The fabric that a Fibre Channel adapter of this host's own is logged in at. Each login here is a virtual port (NPIV) there:
 * switches zone it, arrays mask for it, and it is gone when the login is closed. Needs root. Safe from any thread.
 *
 * <p>When it is opened it deletes virtual ports of processes that ended without.
 */
public final class NpivSan implements FibreChannelSan, AutoCloseable {
    private static final System.Logger LOG = System.getLogger("io.javisor.storage.npiv");

    /** Where the kernel's files are; others in tests. */
    record Places(Path sysfs, Path devices, Path proc, Path records) {
        static final Places HOST = new Places(Path.of("/sys"), Path.of("/dev"), Path.of("/proc"), PortRecords.FOLDER);
    }

    private final Places places;
    private final HostAdapter adapter;
    private final PortRecords records;
    private final Map<Wwn, NpivLogin> logins = new ConcurrentHashMap<>();
    private final TreeMap<Integer, Wwn> targets = new TreeMap<>(); // guarded by itself
    private volatile boolean closed;

    private NpivSan(Places places, String host) {
        this.places = places;
        adapter = new HostAdapter(places.sysfs(), host);
        records = new PortRecords(places.records(), places.proc());
    }

    /**
     * The fabric behind an adapter.
     *
     * @param host the adapter's name in Linux, the word and a number
     * @throws HypervisorException with code {@code fc-no-adapter} if there is none, {@code fc-no-npiv} if it gives no virtual
     *     ports, {@code fc-no-fabric} if it is not logged in at a fabric, {@code fc-permission} if this process may not
     */
    public static NpivSan open(String host) {
        return open(Places.HOST, host);
    }

    static NpivSan open(Places places, String host) {
        var san = new NpivSan(places, host);
        san.adapter.check();
        san.records.locked(() -> {
            san.clean();
            return true;
        });
        return san;
    }

    /** Deletes what ended processes left, at this adapter or at others. */
    private void clean() throws IOException {
        records.clean(stale -> {
            var at = new HostAdapter(places.sysfs(), stale.host());
            if (at.find(stale.port()).isEmpty()) {
                return true;
            }
            try {
                at.delete(stale.node(), stale.port());
                LOG.log(
                        System.Logger.Level.INFO,
                        "deleted the virtual port " + stale.port() + " at " + stale.host() + ", left by process "
                                + stale.process());
                return true;
            } catch (LinuxException e) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "the virtual port of process " + stale.process() + " stays: " + e.getMessage());
                return false;
            }
        });
    }

    @Override
    public String name() {
        return "npiv-" + adapter.host();
    }

    /** The adapter's name in Linux. */
    public String host() {
        return adapter.host();
    }

    @Override
    public FabricLogin login(String fabric, Wwn node, Wwn port, CopyDomain copies, Runnable changed) {
        if (closed) {
            throw new HypervisorException("fc-san-closed", this + " is closed", null);
        }
        if (!fabric.isEmpty()) {
            throw new HypervisorException(
                    "fc-no-fabric",
                    "no fabric \"" + fabric + "\" at " + adapter.host() + ", which is in one that has no name",
                    "leave the fabric away; for another take an adapter that is connected to it");
        }
        adapter.check();
        records.locked(() -> {
            clean();
            create(node, port);
            return true;
        });
        try {
            var login = new NpivLogin(this, adapter, places, node, port, changed);
            logins.put(port, login);
            login.begin();
            return login;
        } catch (RuntimeException | Error e) {
            loggedOut(node, port);
            throw e;
        }
    }

    private void create(Wwn node, Wwn port) throws IOException {
        OptionalInt present = adapter.find(port);
        if (present.isPresent()) {
            Optional<PortRecords.Port> whose = records.all().stream()
                    .filter(record -> record.port().equals(port))
                    .findFirst();
            throw new HypervisorException(
                    "fc-name-in-use",
                    "the port name " + port + " is there already, as host" + present.getAsInt()
                            + whose.map(record -> ", of process " + record.process())
                                    .orElse(""),
                    whose.isPresent()
                            ? "stop the other machine, or give this one names of its own"
                            : "give the machine names of its own; or, if the port is nobody's: echo " + port.hex() + ":"
                                    + node.hex() + " >/sys/class/fc_host/" + adapter.host() + "/vport_delete");
        }
        records.add(adapter.host(), node, port);
        try {
            adapter.create(node, port);
        } catch (RuntimeException | Error e) {
            records.remove(port);
            throw e;
        }
    }

    /** Deletes the virtual port. */
    void loggedOut(Wwn node, Wwn port) {
        logins.remove(port);
        records.locked(() -> {
            try {
                if (adapter.find(port).isPresent()) {
                    adapter.delete(node, port);
                }
                records.remove(port);
            } catch (LinuxException e) {
                // The record stays: who comes next tries again.
                LOG.log(System.Logger.Level.WARNING, "the virtual port " + port + " stays: " + e.getMessage());
            }
            return true;
        });
    }

    /** The number of a target port for guests: the lowest that is free when it is first seen, and the same from then on. */
    int target(Wwn port) {
        synchronized (targets) {
            for (var entry : targets.entrySet()) {
                if (entry.getValue().equals(port)) {
                    return entry.getKey();
                }
            }
            for (int number = 0; number < FabricLogin.TARGETS; number++) {
                if (targets.putIfAbsent(number, port) == null) {
                    return number;
                }
            }
            return -1;
        }
    }

    /** Gives target ports the numbers that they had; false if another login here goes by others. */
    boolean renumber(Map<Integer, Wwn> wanted) {
        synchronized (targets) {
            boolean same = wanted.entrySet().stream()
                    .allMatch(entry -> entry.getValue().equals(targets.get(entry.getKey())));
            if (same) {
                return true;
            }
            if (logins.size() > 1) {
                return false;
            }
            var others = new java.util.ArrayList<>(targets.values());
            others.removeAll(wanted.values());
            targets.clear();
            targets.putAll(wanted);
            others.forEach(this::target);
            return true;
        }
    }

    /** Logs all out. Idempotent. */
    @Override
    public void close() {
        closed = true;
        logins.values().forEach(NpivLogin::close);
    }

    @Override
    public String toString() {
        return "the fabric of " + adapter.host() + " (" + adapter.portName() + ")";
    }
}
