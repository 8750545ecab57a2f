package io.javisor.lab;

import io.javisor.linux.HostInterface;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * One end of an Ethernet cable between two labs, which are hosts with a kernel each. It is given to a lab's {@link LabSpec.Builder#cable},
 * and what runs in that lab finds its interface by {@link #find}. Nothing is lost on the way: who sends waits for who receives, because
 * Fibre Channel takes a lost frame for an error, for which it waits half a minute.
 *
 * @param mac the interface's address, as {@code 02:fc:00:01:00:01}
 * @param wire name of the socket that QEMU carries frames by, the same at both ends; an abstract one has room for 107 bytes
 * @param listens whether the socket is this end's: its lab is started before the other
 */
public record LabCable(String mac, String wire, boolean listens) {
    private static final AtomicInteger MADE = new AtomicInteger();
    private static final long PATIENCE = 60_000_000_000L;

    /** Checks what becomes part of QEMU's command line. */
    public LabCable {
        if (!mac.matches("[0-9a-f]{2}(:[0-9a-f]{2}){5}")) {
            throw new IllegalArgumentException("mac: \"" + mac + "\" is not as 02:fc:00:01:00:01");
        }
        if (!wire.matches("[A-Za-z0-9._-]{1,100}")) {
            throw new IllegalArgumentException(
                    "wire: \"" + wire + "\" is not 1 to 100 letters, digits, dots, dashes and underscores");
        }
    }

    /** Both ends of a new cable; the lab that has the first is started first. */
    public static List<LabCable> ends() {
        String wire = "javisor-cable-" + ProcessHandle.current().pid() + "-" + MADE.incrementAndGet();
        return List.of(new LabCable(nextMac(), wire, true), new LabCable(nextMac(), wire, false));
    }

    private static String nextMac() {
        int number = MADE.incrementAndGet() & 0xFFFF;
        return String.format("02:fc:00:01:%02x:%02x", number >> 8, number & 0xFF);
    }

    /** Words for QEMU's command line. */
    List<String> qemu() {
        String id = "cable-" + mac.replace(':', '-');
        // An abstract name, which leaves no file behind.
        return List.of(
                "-netdev",
                "stream,id=" + id + ",server=" + (listens ? "on" : "off")
                        + ",addr.type=unix,addr.abstract=on,addr.path=" + wire,
                "-device",
                "virtio-net-pci,netdev=" + id + ",romfile=,mac=" + mac);
    }

    /**
     * The interface in Linux that has an end's address, once it is there, and up. Called by what runs in the lab.
     *
     * @throws LabException if it does not come within a minute
     */
    public static String find(String mac) {
        long begun = System.nanoTime();
        try {
            LabFabric.run("modprobe", "virtio_net");
            while (System.nanoTime() - begun < PATIENCE) {
                try (Stream<Path> all = Files.list(Path.of("/sys/class/net"))) {
                    for (Path entry : all.toList()) {
                        if (Files.readString(entry.resolve("address")).strip().equals(mac)) {
                            String name = entry.getFileName().toString();
                            HostInterface.setUp(name, true);
                            return name;
                        }
                    }
                }
                Thread.sleep(50);
            }
        } catch (IOException e) {
            throw new LabException("lab-unavailable", "no cable " + mac + ": " + e, null, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("lab-unavailable", "interrupted while a cable is looked for", null, e);
        }
        throw new LabException(
                "lab-unavailable", "no interface " + mac, "give the end of a cable to the lab's specification", null);
    }
}
