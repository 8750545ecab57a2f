package io.javisor.jmh;

import io.javisor.storage.disk.ImageFormat;
import java.util.List;
import java.util.regex.Pattern;

/**
 * fio with one job on the same file: with libaio, which on a file in memory does a transfer when it is submitted, and is the fastest
 * of fio's engines there that have a depth; at depth 1 with pread(2) and pwrite(2). It measures no latencies.
 */
final class FioPeer extends ToolPeer {
    private static final Pattern REQUESTS = Pattern.compile("\"total_ios\" : (\\d+)");
    private static final Pattern MILLIS = Pattern.compile("\"runtime\" : (\\d+)");
    private static final Pattern USER = Pattern.compile("\"usr_cpu\" : ([\\d.]+)");
    private static final Pattern SYSTEM = Pattern.compile("\"sys_cpu\" : ([\\d.]+)");
    private static final double NANOS_PER_MILLI = 1e6;

    private final DiskLoad load;

    FioPeer(String method) {
        load = DiskLoad.of(method);
    }

    @Override
    public Cost measure(long nanos) {
        String said = run(List.of(
                "fio",
                "--name=peer",
                "--filename=" + DiskFiles.image(ImageFormat.RAW, "ours"),
                "--size=" + DiskFiles.BYTES,
                "--bs=" + DiskLoad.BYTES,
                "--rw=" + (load.random() ? "rand" : "") + (load.writing() ? "write" : "read"),
                "--ioengine=" + (load.depth() == 1 ? "psync" : "libaio"),
                "--iodepth=" + load.depth(),
                "--norandommap",
                "--gtod_reduce=1",
                "--time_based",
                "--runtime=" + nanos / (long) NANOS_PER_MILLI + "ms",
                "--thread",
                "--output-format=json"));
        // Of the two directions the one that was asked for.
        String part = said.substring(said.indexOf(load.writing() ? "\"write\" :" : "\"read\" :"));
        double elapsed = number(part, MILLIS) * NANOS_PER_MILLI / number(part, REQUESTS);
        return new Cost(elapsed, elapsed * (number(said, USER) + number(said, SYSTEM)) / 100);
    }
}
