package io.javisor.jmh;

import io.javisor.storage.fibrechannel.HostPort;
import io.javisor.storage.fibrechannel.PortNames;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.fibrechannel.WwnSet;
import io.javisor.storage.npiv.NpivSan;
import io.javisor.storage.scsi.CopyDomain;
import io.javisor.storage.storvsp.FibreChannelAdapter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.openjdk.jmh.util.ListStatistics;

/**
 * What it costs that a guest's requests go through a virtual port (NPIV), beside a C program that sends the same to the same device by
 * SG_IO: the program behind {@code jmh/compare-lab npiv}. {@code run} in the lab needs its fabric, {@code document} outside writes the
 * table.
 *
 * <p>Ours is all that a machine has, from the rings of an open channel down. Its guest is a thread, so that there is no virtualization
 * in it, which the lab emulates.
 */
public final class NpivComparison {
    /** The name that {@code compare-lab} has the lab's target show its unit to. */
    private static final Wwn PORT = Wwn.of("c003ff0000010000");

    private static final Wwn NODE = Wwn.of("c003ff0000ffff00");
    private static final PortNames NAMES = new PortNames(NODE, PORT, NODE, Wwn.of("c003ff0000010001"));
    private static final String HOST = "host0";
    private static final long BYTES = 64L << 20;
    private static final double AIM = 1.3;
    private static final int WARM_UP = 300;
    private static final int REQUESTS = 600;
    private static final Pattern DEVICE = Pattern.compile("/dev/sd[a-z]+");
    /** A guest's processor halts; this thread looks again after a time that is short beside a request's. */
    private static final long IDLE = TimeUnit.MICROSECONDS.toNanos(20);

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
                "| load | ours | SG_IO | ratio, median (lowest – highest) | aim |\n|---|--:|--:|--:|--:|\n");
        try (NpivSan san = NpivSan.open(HOST)) {
            for (DiskLoad load : LOADS) {
                table.append(row(san, load, rounds, peer));
            }
        }
        guest.ended(table.toString(), rounds);
    }

    private static String row(NpivSan san, DiskLoad load, int rounds, String peer)
            throws IOException, InterruptedException {
        List<Double> ours = new ArrayList<>();
        List<Double> theirs = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        var adapters = new ArrayList<FibreChannelAdapter>();
        try (var path = new ScsiPath(
                BYTES,
                load,
                workers -> {
                    var adapter = new FibreChannelAdapter(0, NAMES, WwnSet.A, workers, 0, new CopyDomain());
                    adapter.connect(san, "");
                    adapters.add(adapter);
                    return adapter;
                },
                () -> LockSupport.parkNanos(IDLE),
                () -> adapters.forEach(FibreChannelAdapter::disconnect))) {
            String device = device();
            path.run(WARM_UP);
            theirs(peer, device, load, WARM_UP);
            for (int i = 0; i < rounds; i++) {
                long begun = System.nanoTime();
                path.run(REQUESTS);
                double mine = (double) (System.nanoTime() - begun) / REQUESTS;
                double other = theirs(peer, device, load, REQUESTS) / REQUESTS;
                System.out.printf(Locale.ROOT, "%s: %.0f ns, SG_IO %.0f ns%n", name(load), mine, other);
                ours.add(mine);
                theirs.add(other);
                ratios.add(mine / other);
            }
        }
        double ratio = median(ratios);
        return String.format(
                Locale.ROOT,
                "| %s | %s | %s | %.2f (%.2f – %.2f) | ≤ %.2f %s |%n",
                name(load),
                Report.time(median(ours)),
                Report.time(median(theirs)),
                ratio,
                of(ratios).getMin(),
                of(ratios).getMax(),
                AIM,
                ratio <= AIM ? "met" : "missed");
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
