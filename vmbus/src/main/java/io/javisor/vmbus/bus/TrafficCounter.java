package io.javisor.vmbus.bus;

import io.javisor.vmbus.channel.ChannelTraffic;
import java.util.concurrent.atomic.AtomicLongArray;

/** Counts what the channels of a device do on one reactor, by that reactor alone: no addition has to be atomic. Any thread reads. */
final class TrafficCounter {
    private static final int PACKETS_IN = 0;
    private static final int BYTES_IN = 1;
    private static final int PACKETS_OUT = 2;
    private static final int BYTES_OUT = 3;
    private static final int SIGNALS_IN = 4;
    private static final int SIGNALS_OUT = 5;

    private final AtomicLongArray counts = new AtomicLongArray(6);

    void received(int bytes) {
        add(PACKETS_IN, 1);
        add(BYTES_IN, bytes);
    }

    void sent(int bytes) {
        add(PACKETS_OUT, 1);
        add(BYTES_OUT, bytes);
    }

    void signalled() {
        add(SIGNALS_IN, 1);
    }

    void signals() {
        add(SIGNALS_OUT, 1);
    }

    private void add(int which, long more) {
        counts.setOpaque(which, counts.getPlain(which) + more);
    }

    ChannelTraffic now() {
        return new ChannelTraffic(
                counts.getOpaque(PACKETS_IN),
                counts.getOpaque(BYTES_IN),
                counts.getOpaque(PACKETS_OUT),
                counts.getOpaque(BYTES_OUT),
                counts.getOpaque(SIGNALS_IN),
                counts.getOpaque(SIGNALS_OUT));
    }
}
