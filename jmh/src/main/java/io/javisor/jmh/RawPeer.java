package io.javisor.jmh;

import io.javisor.linux.ProcessorTime;
import io.javisor.storage.disk.ImageFormat;
import org.jspecify.annotations.Nullable;

/** The same requests by the same way to a raw file, in this JVM. */
final class RawPeer implements Peer {
    private final DiskLoad load;
    private @Nullable ScsiPath path;

    RawPeer(String method) {
        load = DiskLoad.of(method);
    }

    @Override
    public Cost measure(long nanos) {
        ScsiPath raw = path;
        if (raw == null) {
            raw = ScsiPath.to(DiskFiles.image(ImageFormat.RAW, "raw"), load, ScsiPath::controller);
            path = raw;
        }
        long processor = ProcessorTime.ofProcess();
        long begun = System.nanoTime();
        long taken;
        double requests = 0;
        do {
            requests += raw.run(ScsiRequests.BATCH);
            taken = System.nanoTime() - begun;
        } while (taken < nanos);
        return new Cost(taken / requests, (ProcessorTime.ofProcess() - processor) / requests);
    }
}
