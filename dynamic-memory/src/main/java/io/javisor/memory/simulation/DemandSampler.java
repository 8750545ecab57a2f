package io.javisor.memory.simulation;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Records what programs of this host need of its memory. Not safe for several threads. */
public final class DemandSampler {
    private static final Pattern COMMITTED = Pattern.compile("(?m)^Committed_AS: +([0-9]{1,15}) kB$");
    private static final Pattern OWN = Pattern.compile("(?m)^Rss(?:Anon|Shmem):\\s+([0-9]{1,15}) kB$");

    private final String measured;
    private final Source source;

    private interface Source {
        long bytes() throws IOException;
    }

    private DemandSampler(String measured, Source source) {
        this.measured = measured;
        this.source = source;
    }

    /** What all of the host's programs have committed: what Linux's driver tells of a guest. */
    public static DemandSampler ofHost() {
        return ofHost(Path.of("/proc/meminfo"));
    }

    static DemandSampler ofHost(Path meminfo) {
        return new DemandSampler("Committed_AS of /proc/meminfo", () -> {
            Matcher m = COMMITTED.matcher(Files.readString(meminfo));
            if (!m.find()) {
                throw new IOException(meminfo + " has no Committed_AS");
            }
            return Long.parseLong(m.group(1)) << 10;
        });
    }

    /** What the tasks of a control group have (version 2: memory.current), page cache included. */
    public static DemandSampler ofControlGroup(Path folder) {
        Path file = folder.resolve("memory.current");
        return new DemandSampler(
                "memory.current of a control group",
                () -> Long.parseLong(Files.readString(file).strip()));
    }

    /** What a process and its descendants have themselves: anonymous and shared memory that is resident. */
    public static DemandSampler ofProcesses(ProcessHandle first) {
        return new DemandSampler("RssAnon and RssShmem of a process and its descendants, summed", () -> {
            long sum = 0;
            List<ProcessHandle> all =
                    Stream.concat(Stream.of(first), first.descendants()).toList();
            for (ProcessHandle process : all) {
                sum += own(Path.of("/proc", Long.toString(process.pid()), "status"));
            }
            return sum;
        });
    }

    static long own(Path status) throws IOException {
        long sum = 0;
        try {
            Matcher m = OWN.matcher(Files.readString(status));
            while (m.find()) {
                sum += Long.parseLong(m.group(1)) << 10;
            }
        } catch (NoSuchFileException e) {
            return 0; // it ended since it was listed
        } catch (IOException e) {
            if (Files.exists(status)) {
                throw e;
            }
            return 0; // ESRCH: it ended while it was read
        }
        return sum;
    }

    /** What its numbers are. */
    public String measured() {
        return measured;
    }

    /** Bytes now. */
    public long sample() {
        try {
            return source.bytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Takes samples until it is enough, at least one.
     *
     * @param workload what runs meanwhile, and how to run it again
     * @param period between two samples, in whole seconds
     * @param goesOn asked before each sample but the first
     * @throws InterruptedException if this thread is interrupted meanwhile
     */
    public DemandTrace record(String workload, Duration period, BooleanSupplier goesOn) throws InterruptedException {
        var samples = new ArrayList<Long>();
        long begun = System.nanoTime();
        do {
            samples.add(sample());
            long next = begun + samples.size() * period.toNanos();
            Thread.sleep(Duration.ofNanos(Math.max(0, next - System.nanoTime())));
        } while (goesOn.getAsBoolean());
        return new DemandTrace(workload, measured, where(), (int) period.toSeconds(), samples);
    }

    private static String where() {
        return Instant.now().truncatedTo(ChronoUnit.DAYS).toString().substring(0, 10) + ", Linux "
                + System.getProperty("os.version") + ", " + Runtime.getRuntime().availableProcessors()
                + " processors";
    }
}
