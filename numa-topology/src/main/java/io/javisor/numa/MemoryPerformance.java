package io.javisor.numa;

/**
 * How fast one node's memory is for the processors of another, as the guest reads it in the ACPI HMAT (ACPI 6.5 section
 * 5.2.28.4) and in {@code /sys/devices/system/node/nodeN/access0/initiators}.
 *
 * @param readLatency nanoseconds, 0 (not stated) to 65,534
 * @param writeLatency nanoseconds, 0 (not stated) to 65,534
 * @param readBandwidth MiB a second, 0 (not stated) to 65,534 × 2²⁰
 * @param writeBandwidth MiB a second, 0 (not stated) to 65,534 × 2²⁰
 */
public record MemoryPerformance(int readLatency, int writeLatency, long readBandwidth, long writeBandwidth) {
    /** The largest latency: 16-bit entries, of which 0xFFFF means unreachable. */
    public static final int MAX_LATENCY = 65_534;

    /** The largest bandwidth: 16-bit entries with a base unit of up to 2²⁰ MiB a second. */
    public static final long MAX_BANDWIDTH = 65_534L << 20;

    /** Nothing stated. */
    public static final MemoryPerformance UNSTATED = new MemoryPerformance(0, 0, 0, 0);

    /** Whether anything is stated. */
    public boolean stated() {
        return (readLatency | writeLatency) != 0 || (readBandwidth | writeBandwidth) != 0;
    }
}
