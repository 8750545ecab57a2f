package io.javisor.jmh;

import java.util.List;

/**
 * What a guest's network has to do.
 *
 * @param name for people
 * @param verb as the guest's program has it
 * @param count bytes of a TCP connection, or datagrams
 * @param size bytes that the guest gives its kernel at once, or of a datagram
 */
record NetLoad(String name, String verb, long count, int size) {
    /** Bytes of TCP in an Ethernet frame of 1,500 (40 of headers, 12 of time stamps). */
    private static final int SEGMENT = 1448;

    /** In this order. */
    static final List<NetLoad> ALL = List.of(
            new NetLoad("TCP to the host", "tcp-out", 32L << 20, 1 << 16),
            new NetLoad("TCP from the host", "tcp-in", 32L << 20, 1 << 16),
            new NetLoad("UDP to the host, 64 B", "udp-out", 20_000, 64),
            new NetLoad("UDP from the host, 64 B", "udp-in", 9_600, 64),
            new NetLoad("UDP there and back, 64 B", "round-trips", 1_000, 64),
            new NetLoad("TCP from the host, large receives on", "tcp-in", 32L << 20, 1 << 16));

    /** Told before the last of these: turns large receives on. */
    static final NetLoad LARGE = new NetLoad("large receives on", "large", 1, 1);

    /** The same, shorter: buffers are there afterwards, and addresses known. */
    NetLoad first() {
        return new NetLoad(name, verb, Math.max(count / 8, 32) & -32, size);
    }

    /** Packets as they would be on an Ethernet: a TCP connection's full segments, or datagrams; a round trip is one. */
    double packets() {
        return verb.startsWith("tcp") ? (double) count / SEGMENT : count;
    }

    /** What the guest's program is told. */
    String order() {
        return verb + " " + count + " " + size;
    }
}
