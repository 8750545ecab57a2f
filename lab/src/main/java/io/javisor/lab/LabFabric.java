package io.javisor.lab;

import io.javisor.linux.HostInterface;
import io.javisor.storage.fcoe.FabricSwitch;
import io.javisor.storage.fibrechannel.HostPort;
import io.javisor.storage.fibrechannel.Wwn;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A Fibre Channel SAN inside the lab, of the kernel's own parts: adapters that are Linux's {@code fcoe}, a target that is its
 * {@code tcm_fc}, virtual cables (veth), and a {@link FabricSwitch} of this process between them. Called by what runs in the lab.
 *
 * <pre>
 *  fchba0 ── fcsw0 ┐
 *  fchba1 ── fcsw1 ├ FabricSwitch        the last adapter is the target's
 *  fchba2 ── fcsw2 ┘
 * </pre>
 *
 * <p>Adapters have the names 20:00 and 10:00 with their addresses, 02:fc:00:00:00:01 for the first. A unit is shown to an
 * initiator by {@link #present}; there is no other way to see one. For one thread at a time; closing takes it all down.
 */
public final class LabFabric implements AutoCloseable {
    /** Full frames of Fibre Channel, with all that is around them. */
    private static final int MTU = 2500;

    private static final long HBA_MAC = 0x02FC_0000_0001L;
    private static final long SWITCH_MAC = 0x02FC_0000_1001L;
    private static final long PORT_PREFIX = 0x2000L << 48;
    /** The lab is emulated and may stand still for seconds. */
    private static final Duration KEEP_ALIVE = Duration.ofSeconds(20);

    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Path TARGET = Path.of("/sys/kernel/config/target");
    private static final Path FILES = Path.of("/run/javisor-fabric");
    private static final Path FCOE = Path.of("/sys/bus/fcoe");
    private static final String BUSYBOX = "/run/javisor/busybox";

    private final int adapters;
    private final List<Long> units;
    private final List<Runnable> undo = new ArrayList<>();

    @SuppressWarnings("NullAway.Init") // set by assemble()
    private FabricSwitch fabric;

    private LabFabric(int adapters, List<Long> units) {
        this.adapters = adapters;
        this.units = List.copyOf(units);
    }

    /**
     * Makes a SAN and waits until all its adapters are logged in.
     *
     * @param initiators adapters beside the target's, from 1
     * @param units sizes of the target's units in bytes
     * @throws LabException if this is not the lab, or its kernel lacks a part
     */
    public static LabFabric start(int initiators, List<Long> units) {
        return start(initiators, units, List.of(), _ -> {});
    }

    /**
     * The same, with units that are shown to the adapters themselves: who logs in at a target that has nothing for him is turned away,
     * and does not ask again.
     *
     * @param more interfaces that the switch is on, too, after its own cables: ends of cables to other labs ({@link LabCable#find})
     * @param first presents units, before anybody logs in
     */
    public static LabFabric start(int initiators, List<Long> units, List<String> more, Consumer<LabFabric> first) {
        if (!Files.exists(Path.of(BUSYBOX))) {
            throw new LabException("lab-unavailable", "a fabric of the lab's is made inside the lab only", null, null);
        }
        var made = new LabFabric(initiators + 1, units);
        try {
            made.assemble(more, first);
            return made;
        } catch (IOException e) {
            made.close();
            throw new LabException("lab-unavailable", "no fabric in the lab: " + e, null, e);
        } catch (RuntimeException | Error e) {
            made.close();
            throw e;
        }
    }

    private void assemble(List<String> more, Consumer<LabFabric> first) throws IOException {
        Files.createDirectories(FILES);
        run("modprobe", "-a", "sd_mod", "sg", "veth", "fcoe", "target_core_mod");
        if (!Files.exists(TARGET)) {
            run(BUSYBOX, "mount", "-t", "configfs", "configfs", "/sys/kernel/config");
        }
        Files.createDirectories(Path.of("/run/target/pr"));
        Files.createDirectories(Path.of("/run/target/alua"));
        if (!Files.exists(TARGET.resolve("core/fileio_0"))) {
            write(TARGET.resolve("dbroot"), "/run/target"); // before any unit's driver
        }
        run("modprobe", "-a", "tcm_fc", "target_core_file");
        // A read of a megabyte is 500 frames at once, which wait for the processor that takes them.
        write(Path.of("/proc/sys/net/core/netdev_max_backlog"), "20000");
        var cables = new ArrayList<String>();
        for (int i = 0; i < adapters; i++) {
            String hba = hba(i);
            HostInterface.makeVeth(hba, HBA_MAC + i, "fcsw" + i, SWITCH_MAC + i, MTU);
            undo.add(() -> HostInterface.remove(hba));
            cables.add("fcsw" + i);
        }
        for (String other : more) {
            HostInterface.setMtu(other, MTU);
            HostInterface.setUp(other, true);
            cables.add(other);
        }
        fabric = FabricSwitch.open(cables, KEEP_ALIVE);
        undo.add(fabric::close);
        for (int i = 0; i < units.size(); i++) {
            unit(i);
        }
        undo.add(this::removeTarget); // when its port and all others are down
        for (int i = 0; i < adapters; i++) {
            controller(i);
        }
        target();
        first.accept(this);
        for (int i = adapters - 1; i >= 0; i--) { // the target's first
            enable(hba(i));
        }
        for (int i = 0; i < adapters; i++) {
            awaitOnline(i);
        }
    }

    private static String hba(int i) {
        return "fchba" + i;
    }

    private void unit(int i) throws IOException {
        Path file = FILES.resolve("unit" + i);
        try (var content = Files.newByteChannel(
                file,
                java.nio.file.StandardOpenOption.CREATE,
                java.nio.file.StandardOpenOption.TRUNCATE_EXISTING,
                java.nio.file.StandardOpenOption.WRITE)) {
            content.position(units.get(i) - 1).write(java.nio.ByteBuffer.allocate(1));
        }
        Path backend = TARGET.resolve("core/fileio_0").resolve("unit" + i);
        Files.createDirectories(backend);
        undo.add(() -> removeFolder(backend));
        write(backend.resolve("control"), "fd_dev_name=" + file + ",fd_dev_size=" + units.get(i));
        write(backend.resolve("enable"), "1");
        // The first 25 digits make the unit's name (NAA), by which initiators tell units apart.
        write(backend.resolve("wwn/vpd_unit_serial"), "%04x%028x".formatted(0xFC00 + i, 0x1ABL));
        write(backend.resolve("attrib/emulate_tpu"), "1"); // UNMAP punches the file
    }

    private void controller(int i) throws IOException {
        write(FCOE.resolve("ctlr_create"), hba(i));
        undo.add(() -> {
            try {
                write(FCOE.resolve("ctlr_destroy"), hba(i));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    private static void enable(String cable) throws IOException {
        try (Stream<Path> entries = Files.list(Path.of("/sys/class/net", cable))) {
            Path controller = entries.filter(
                            entry -> entry.getFileName().toString().startsWith("ctlr_"))
                    .findFirst()
                    .orElseThrow(() -> new IOException("no FCoE controller at " + cable));
            write(controller.resolve("enabled"), "1");
        }
    }

    /**
     * Makes an adapter of this lab at the fabric of another, and waits until it is logged in. It stays until the lab ends.
     *
     * @param cable the interface that leads there ({@link LabCable#find})
     * @return its name in Linux, as {@code host0}
     * @throws LabException if it is not let in
     */
    public static String join(String cable) {
        try {
            run("modprobe", "-a", "sd_mod", "sg", "fcoe");
            HostInterface.setMtu(cable, MTU);
            HostInterface.setUp(cable, true);
            write(FCOE.resolve("ctlr_create"), cable);
            enable(cable);
            String name = "0x" + new Wwn(PORT_PREFIX | HostInterface.mac(cable)).hex();
            await(
                    "the adapter at " + cable + " is logged in",
                    "",
                    () -> Files.readString(hostNamed(name).resolve("port_state"))
                            .startsWith("Online"));
            return hostNamed(name).getFileName().toString();
        } catch (IOException e) {
            throw new LabException("lab-unavailable", "no adapter at " + cable + ": " + e, null, e);
        }
    }

    private Path port() {
        return TARGET.resolve("fc").resolve(targetName().toString()).resolve("tpgt_1");
    }

    private void target() throws IOException {
        Path port = port();
        Files.createDirectories(port);
        for (int i = 0; i < units.size(); i++) {
            Path lun = port.resolve("lun/lun_" + i);
            Files.createDirectory(lun);
            Files.createSymbolicLink(lun.resolve("unit"), TARGET.resolve("core/fileio_0/unit" + i));
        }
    }

    private void removeTarget() {
        if (!Files.exists(port())) {
            return;
        }
        try {
            for (Path initiator : list(port().resolve("acls"))) {
                for (Path lun : list(initiator)) {
                    if (lun.getFileName().toString().startsWith("lun_")) {
                        Files.deleteIfExists(lun.resolve("unit"));
                        Files.delete(lun);
                    }
                }
                Files.delete(initiator);
            }
            for (Path lun : list(port().resolve("lun"))) {
                Files.deleteIfExists(lun.resolve("unit"));
                Files.delete(lun);
            }
            Files.delete(port());
            Files.delete(port().getParent());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(Files::isDirectory).toList();
        }
    }

    private static void removeFolder(Path folder) {
        try {
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void awaitOnline(int i) throws IOException {
        await(
                hba(i) + " is logged in at the lab's fabric",
                () -> Files.readString(host(i).resolve("port_state")).startsWith("Online"));
    }

    /** Something that becomes true. */
    private interface Condition {
        boolean holds() throws IOException;
    }

    private void await(String what, Condition condition) throws IOException {
        await(what, "; there are " + fabric.ports(), condition);
    }

    private static void await(String what, String context, Condition condition) throws IOException {
        long begun = System.nanoTime();
        while (!condition.holds()) {
            if (System.nanoTime() - begun > PATIENCE.toNanos()) {
                throw new LabException(
                        "lab-unavailable", "not after " + PATIENCE.toSeconds() + " s: " + what + context, null, null);
            }
            try {
                Thread.sleep(50);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new LabException("lab-unavailable", "interrupted while the fabric starts", null, e);
            }
        }
    }

    private static Path host(int i) throws IOException {
        return hostNamed("0x" + portName(i).hex());
    }

    private static Path hostNamed(String name) throws IOException {
        try (Stream<Path> hosts = Files.list(Path.of("/sys/class/fc_host"))) {
            for (Path host : hosts.toList()) {
                if (Files.readString(host.resolve("port_name")).strip().equals(name)) {
                    return host;
                }
            }
        }
        throw new IOException("no adapter " + name);
    }

    private static Wwn portName(int i) {
        return new Wwn(PORT_PREFIX | HBA_MAC + i);
    }

    /** An initiator's name in Linux, as {@code host0}; numbered from 0. */
    public String adapter(int initiator) {
        try {
            return host(initiator).getFileName().toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The port name of an initiator's adapter itself. */
    public Wwn adapterName(int initiator) {
        return portName(initiator);
    }

    /** The target's port name. */
    public Wwn targetName() {
        return portName(adapters - 1);
    }

    /** The switch, for its zones and for who is logged in. */
    public FabricSwitch fabric() {
        return fabric;
    }

    /** The file that a unit keeps its contents in. */
    public Path file(int unit) {
        return FILES.resolve("unit" + unit);
    }

    /** Shows a unit to an initiator under a number. */
    public void present(Wwn initiator, int lun, int unit) {
        try {
            Path shown = port().resolve("acls").resolve(initiator.toString()).resolve("lun_" + lun);
            if (!Files.exists(shown.getParent())) {
                Files.createDirectory(shown.getParent());
            }
            Files.createDirectory(shown);
            Files.createSymbolicLink(shown.resolve("unit"), port().resolve("lun/lun_" + unit));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits until an initiator's adapter itself sees that many units; numbered from 0. */
    public void awaitUnits(int initiator, int units) {
        String adapter = adapter(initiator);
        try {
            await(
                    adapter + " sees " + units + " units",
                    () -> HostPort.list(Path.of("/sys")).stream()
                                    .filter(port -> port.host().equals(adapter))
                                    .mapToInt(port -> port.units().size())
                                    .sum()
                            >= units);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Hides what an initiator sees under a number. */
    public void hide(Wwn initiator, int lun) {
        Path shown = port().resolve("acls").resolve(initiator.toString()).resolve("lun_" + lun);
        try {
            Files.delete(shown.resolve("unit"));
            Files.delete(shown);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Pulls an initiator's cable, or puts it back; numbered from 0. */
    public void plug(int initiator, boolean in) {
        HostInterface.setUp("fcsw" + initiator, in);
    }

    private static void write(Path file, String text) throws IOException {
        Files.writeString(file, text + "\n", java.nio.file.StandardOpenOption.WRITE);
    }

    static void run(String... words) throws IOException {
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) {
                throw new IOException(String.join(" ", words) + ": " + said.strip());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(String.join(" ", words) + ": interrupted", e);
        }
    }

    /** Takes all down that was made; what the kernel does not let go of stays until the lab ends. Idempotent. */
    @Override
    public void close() {
        while (!undo.isEmpty()) {
            try {
                undo.removeLast().run();
            } catch (RuntimeException e) {
                System.getLogger("io.javisor.lab").log(System.Logger.Level.WARNING, "the lab's fabric: " + e);
            }
        }
    }

    /**
     * Has a fabric with a unit of 64 MiB, until standard input ends; says {@code ready}.
     *
     * @param arguments port names that see the unit, as LUN 0, beside the adapter's own
     */
    @SuppressWarnings("SystemOut") // a program's job
    public static void main(String[] arguments) throws IOException {
        try (LabFabric fabric = start(1, List.of(64L << 20), List.of(), made -> {
            made.present(made.adapterName(0), 0, 0);
            for (String name : arguments) {
                made.present(Wwn.of(name), 0, 0);
            }
        })) {
            fabric.awaitUnits(0, 1);
            System.out.println("ready");
            while (System.in.read() >= 0) {
                // whoever started this says nothing
            }
        }
    }
}
