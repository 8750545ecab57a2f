package io.javisor.jmh;

import io.javisor.storage.disk.ImageFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * {@code qemu-img bench} on a VHDX that was made and filled as the other: two can't have one open for writing. It is told how many requests to make; what processors do meanwhile it
 * doesn't tell.
 */
final class QemuImgPeer extends ToolPeer {
    private static final Pattern SECONDS = Pattern.compile("Run completed in ([\\d.]+) seconds");
    private static final int FIRST = 20_000;
    private static final double NANOS_PER_SECOND = 1e9;

    private final DiskLoad load;
    private double perRequest;

    QemuImgPeer(String method) {
        load = DiskLoad.of(method);
    }

    @Override
    public Cost measure(long nanos) {
        long requests = perRequest == 0 ? FIRST : (long) Math.max(FIRST, nanos / perRequest);
        var command = new ArrayList<>(List.of(
                "qemu-img",
                "bench",
                "-f",
                "vhdx",
                "-t",
                "writeback",
                "-c",
                String.valueOf(requests),
                "-d",
                String.valueOf(load.depth()),
                "-s",
                String.valueOf(DiskLoad.BYTES)));
        if (load.writing()) {
            command.add("-w");
        }
        command.add(DiskFiles.image(ImageFormat.VHDX, "qemu").toString());
        perRequest = number(run(command), SECONDS) * NANOS_PER_SECOND / requests;
        return new Cost(perRequest, perRequest);
    }
}
