package io.javisor.storage.npiv;

import io.javisor.partition.HypervisorException;
import io.javisor.storage.fibrechannel.Wwn;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * Which virtual ports on this host are whose, in files: written before a port is made, removed when it is deleted. A process that
 * ended in between leaves a file, and who comes next deletes the port. Several processes share the folder, under a lock. Safe
 * from any thread.
 *
 * <pre>
 *  WWPN.port:  host3 WWPN WWNN, process ID, its start in ticks since boot, boot ID; separated by spaces
 * </pre>
 */
final class PortRecords {
    /** Where they are for root, and gone when the host boots, as the ports are. */
    static final Path FOLDER = Path.of("/run/javisor/npiv");

    private static final String SUFFIX = ".port";
    private static final int MOST_BYTES = 512;

    private final Path folder;
    private final Path proc;

    PortRecords(Path folder, Path proc) {
        this.folder = folder;
        this.proc = proc;
    }

    /**
     * A record.
     *
     * @param host the adapter that the port is at
     * @param port its name
     * @param node its node's name
     * @param process who made it
     * @param started when that process started, in ticks since boot
     * @param boot of the host, by its ID
     */
    record Port(String host, Wwn port, Wwn node, long process, String started, String boot) {}

    /** What is done under the lock. */
    interface Step<T> {
        T run() throws IOException;
    }

    /**
     * Does something while no other process changes records or ports.
     *
     * @throws HypervisorException with code {@code fc-permission} if the folder can't be used
     */
    <T> T locked(Step<T> step) {
        synchronized (PortRecords.class) { // a lock on a file holds off other processes only
            try {
                Files.createDirectories(folder);
                try (FileChannel channel = FileChannel.open(
                                folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                        var _ = channel.lock()) {
                    return step.run();
                }
            } catch (IOException e) {
                throw new HypervisorException(
                        "fc-permission",
                        "no virtual port is made that could not be noted in " + folder + ": " + e,
                        null,
                        0,
                        "run as root: virtual ports belong to the host's administrator",
                        e);
            }
        }
    }

    /** Notes that a port is this process's. */
    void add(String host, Wwn node, Wwn port) throws IOException {
        long self = ProcessHandle.current().pid();
        String line = String.join(" ", host, port.hex(), node.hex(), Long.toString(self), started(self), boot());
        Path draft = folder.resolve(port.hex() + ".draft");
        Files.writeString(draft, line + "\n");
        Files.move(
                draft,
                folder.resolve(port.hex() + SUFFIX),
                java.nio.file.StandardCopyOption.ATOMIC_MOVE,
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }

    void remove(Wwn port) throws IOException {
        Files.deleteIfExists(folder.resolve(port.hex() + SUFFIX));
    }

    /** All records that can be read; others say nothing. */
    List<Port> all() {
        var found = new ArrayList<Port>();
        for (String name : Sysfs.names(folder)) {
            Path file = folder.resolve(name);
            if (!name.endsWith(SUFFIX)) {
                continue;
            }
            try {
                String[] words = Files.size(file) > MOST_BYTES
                        ? new String[0]
                        : Files.readString(file).strip().split(" ", -1);
                if (words.length == 6 && words[0].matches("host[0-9]{1,9}")) {
                    found.add(new Port(
                            words[0],
                            Wwn.of(words[1]),
                            Wwn.of(words[2]),
                            Long.parseLong(words[3]),
                            words[4],
                            words[5]));
                }
            } catch (IOException | IllegalArgumentException e) {
                System.getLogger("io.javisor.storage.npiv").log(System.Logger.Level.WARNING, file + ": " + e);
            }
        }
        return found;
    }

    /** Whether the process that made a port is still there; a process ID alone may be another's by now. */
    boolean isAlive(Port record) {
        return record.boot().equals(boot())
                && !record.started().isEmpty()
                && record.started().equals(started(record.process()));
    }

    /** Removes records whose processes are gone, once their ports are deleted. */
    void clean(Predicate<Port> delete) throws IOException {
        for (Port record : all()) {
            if (!isAlive(record) && delete.test(record)) {
                remove(record.port());
            }
        }
    }

    private String boot() {
        return Sysfs.text(proc.resolve("sys/kernel/random/boot_id"));
    }

    /** Field 22 of /proc/PID/stat; the second, the program's name, may hold anything, and ends at the last parenthesis. */
    private String started(long process) {
        String stat = Sysfs.text(proc.resolve(Long.toString(process)).resolve("stat"));
        String[] words = stat.substring(stat.lastIndexOf(')') + 1).strip().split(" ", -1);
        boolean ended = words[0].equals("Z") || words[0].equals("X");
        return words.length > 19 && !ended ? words[19] : "";
    }
}
