package io.javisor.jmh;

import io.javisor.storage.disk.IoMemory;
import io.javisor.storage.fibrechannel.FabricLogin;
import io.javisor.storage.fibrechannel.HostPort;
import io.javisor.storage.fibrechannel.PortNames;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.fibrechannel.WwnSet;
import io.javisor.storage.npiv.NpivSan;
import io.javisor.storage.scsi.CopyDomain;
import io.javisor.storage.scsi.RemotePort;
import io.javisor.storage.scsi.ScsiCommand;
import io.javisor.storage.scsi.ScsiResult;
import io.javisor.storage.storvsp.FibreChannelAdapter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.openjdk.jmh.util.ListStatistics;

/**
 * What it costs that a guest's requests go through a virtual port (NPIV), beside a C program that sends the same to the same device by
 * SG_IO: the program behind {@code jmh/compare-lab npiv}. {@code run} in the lab needs its fabric, {@code document} outside writes the
 * table.
 *
 * <p>Ours is all that a machine has, from the rings of an open channel down. Its guest is a thread that halts until it is interrupted,
 * so that there is no virtualization in it, which the lab emulates. Beside both, what a machine does below its rings, called by threads of its own: the virtual port's
 * units alone; and within ours, what the same takes there, beside which all is handing over.
 */
public final class NpivComparison {
    /** The name that {@code compare-lab} has the lab's target show its unit to. */
    private static final Wwn PORT = Wwn.of("c003ff0000010000");

    private static final Wwn NODE = Wwn.of("c003ff0000ffff00");
    private static final Wwn OTHER = Wwn.of("c003ff0000010001");
    private static final PortNames NAMES = new PortNames(NODE, PORT, NODE, OTHER);
    private static final String HOST = "host0";
    private static final long BYTES = 64L << 20;
    private static final int SECTOR = 512;
    private static final double AIM = 1.3;
    /** Code is compiled when it has run a few hundred times, and then still takes a while. */
    private static final int WARM_UP = 1500;

    /** Of a round: in slices, by turns, so that whatever else the host does falls on all alike. */
    private static final int SLICES = 5;

    private static final int REQUESTS = 60;
    private static final Pattern DEVICE = Pattern.compile("/dev/sd[a-z]+");
    private static final List<DiskLoad> LOADS = List.of(
            new DiskLoad(false, true, 1),
            new DiskLoad(true, true, 1),
            new DiskLoad(false, true, 8),
            new DiskLoad(true, true, 8));

    private NpivComparison() {}

    /** Runs a step: its name, the folder, and what the step takes besides. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        var guest = new LabGuest(Path.of(arguments[1]), "npiv");
        switch (arguments[0]) {
            case "run" -> run(guest, Integer.parseInt(arguments[2]), arguments[3]);
            case "document" -> guest.document(Path.of(arguments[2]), "lab npiv");
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static void run(LabGuest guest, int rounds, String peer) throws IOException, InterruptedException {
        var table = new StringBuilder(
                "| load | ours | a command in it | the port alone | SG_IO | ours to SG_IO, median (lowest – highest) | aim |"
                        + " the port to SG_IO |\n|---|--:|--:|--:|--:|--:|--:|--:|\n");
        try (NpivSan san = NpivSan.open(HOST);
                FabricLogin alone = san.login("", NODE, OTHER, new CopyDomain(), () -> {})) {
            RemotePort port = Objects.requireNonNull(alone.at(0, 0), "no target");
            for (int i = 0; i < 3; i++) {
                port.execute(0, ScsiCommand.of(new byte[6])); // TEST UNIT READY: unit attentions come first, and once
            }
            int warmUp = WARM_UP;
            for (DiskLoad load : LOADS) {
                table.append(row(san, port, load, warmUp, rounds, peer));
                warmUp = 2 * REQUESTS; // by then the code is compiled
            }
        }
        guest.ended(table.toString(), rounds);
    }

    private static String row(NpivSan san, RemotePort port, DiskLoad load, int warmUp, int rounds, String peer)
            throws IOException, InterruptedException {
        List<Double> ours = new ArrayList<>();
        List<Double> alone = new ArrayList<>();
        List<Double> theirs = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        List<Double> ratiosAlone = new ArrayList<>();
        List<Double> commands = new ArrayList<>();
        var timed = new TimedSan(san);
        var adapters = new ArrayList<FibreChannelAdapter>();
        try (var path = new ScsiPath(
                BYTES,
                load,
                workers -> {
                    var adapter = new FibreChannelAdapter(0, NAMES, WwnSet.A, workers, 0, new CopyDomain());
                    adapter.connect(timed, "");
                    adapters.add(adapter);
                    return adapter;
                },
                ScsiPath::halt,
                () -> adapters.forEach(FibreChannelAdapter::disconnect))) {
            String device = device();
            path.run(warmUp);
            path.drain();
            alone(port, load, warmUp);
            theirs(peer, device, load, REQUESTS);
            for (int i = 0; i < rounds; i++) {
                double mine = 0;
                double other = 0;
                double below = 0;
                timed.take();
                for (int slice = 0; slice < SLICES; slice++) {
                    long begun = System.nanoTime();
                    path.run(REQUESTS - load.depth() + 1);
                    path.drain();
                    mine += System.nanoTime() - begun;
                    other += theirs(peer, device, load, REQUESTS);
                    below += alone(port, load, REQUESTS);
                }
                mine /= SLICES * REQUESTS;
                other /= SLICES * REQUESTS;
                below /= SLICES * REQUESTS;
                double command = timed.take();
                System.out.printf(
                        Locale.ROOT,
                        "%s: %.0f ns, its commands %.0f ns, the port %.0f ns, SG_IO %.0f ns%n",
                        name(load),
                        mine,
                        command,
                        below,
                        other);
                ours.add(mine);
                commands.add(command);
                alone.add(below);
                theirs.add(other);
                ratios.add(mine / other);
                ratiosAlone.add(below / other);
            }
        }
        double ratio = median(ratios);
        return String.format(
                Locale.ROOT,
                "| %s | %s | %s | %s | %s | %.2f (%.2f – %.2f) | ≤ %.2f %s | %.2f (%.2f – %.2f) |%n",
                name(load),
                Report.time(median(ours)),
                Report.time(median(commands)),
                Report.time(median(alone)),
                Report.time(median(theirs)),
                ratio,
                of(ratios).getMin(),
                of(ratios).getMax(),
                AIM,
                ratio <= AIM ? "met" : "missed",
                median(ratiosAlone),
                of(ratiosAlone).getMin(),
                of(ratiosAlone).getMax());
    }

    /** What so many requests take, as many threads at it as there are requests at a time. */
    private static double alone(RemotePort port, DiskLoad load, int requests) throws InterruptedException {
        var left = new AtomicInteger(requests);
        var ready = new CountDownLatch(load.depth());
        var go = new CountDownLatch(1);
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < load.depth(); i++) {
            IoMemory memory = IoMemory.allocate(DiskLoad.BYTES);
            threads.add(Thread.ofPlatform().start(() -> {
                ready.countDown();
                try {
                    go.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                requests(port, load, memory, left);
            }));
        }
        ready.await();
        long begun = System.nanoTime();
        go.countDown();
        for (Thread thread : threads) {
            thread.join();
        }
        long took = System.nanoTime() - begun;
        if (left.get() != -load.depth()) {
            throw new IllegalStateException("a request failed"); // its thread has said so, and counted no more
        }
        return took;
    }

    private static void requests(RemotePort port, DiskLoad load, IoMemory memory, AtomicInteger left) {
        var random = new SplittableRandom();
        while (left.getAndDecrement() > 0) {
            ByteBuffer cdb = ByteBuffer.allocate(10)
                    .put((byte) (load.writing() ? 0x2A : 0x28))
                    .putInt(2, random.nextInt((int) (BYTES / DiskLoad.BYTES)) * (DiskLoad.BYTES / SECTOR))
                    .put(8, (byte) (DiskLoad.BYTES / SECTOR));
            ScsiResult result = port.execute(
                    0,
                    load.writing()
                            ? ScsiCommand.writing(cdb.array(), memory)
                            : ScsiCommand.reading(cdb.array(), memory));
            if (result.status() != ScsiResult.GOOD) {
                throw new IllegalStateException("a request failed: " + result);
            }
        }
    }

    private static String name(DiskLoad load) {
        return "random " + (load.writing() ? "writes" : "reads") + ", " + load.depth() + " at a time";
    }

    /** The unit that Linux has at the virtual port. */
    private static String device() {
        for (HostPort port : HostPort.list(Path.of("/sys"))) {
            for (HostPort.HostUnit unit : port.units()) {
                Matcher name = DEVICE.matcher(unit.description());
                if (port.portName().equals(PORT.toString()) && name.find()) {
                    return name.group();
                }
            }
        }
        throw new IllegalStateException("no unit at " + PORT);
    }

    private static double theirs(String peer, String device, DiskLoad load, int requests)
            throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        peer,
                        device,
                        Long.toString(BYTES),
                        Integer.toString(requests),
                        Integer.toString(load.depth()),
                        load.writing() ? "1" : "0")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        if (process.waitFor() != 0) {
            throw new IOException(peer + ": exit code " + process.exitValue());
        }
        return Double.parseDouble(said.strip());
    }

    private static ListStatistics of(List<Double> values) {
        return new ListStatistics(
                values.stream().mapToDouble(Double::doubleValue).toArray());
    }

    private static double median(List<Double> values) {
        return of(values).getPercentile(50);
    }
}
