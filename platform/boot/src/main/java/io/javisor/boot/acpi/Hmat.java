package io.javisor.boot.acpi;

import io.javisor.partition.topology.NumaDescription;
import io.javisor.partition.topology.NumaDescription.Performance;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * The Heterogeneous Memory Attribute Table, revision 2 (ACPI 6.5 section 5.2.28): which initiator each node's memory is attached
 * to, and latency and bandwidth from every node with vCPUs to every node with memory.
 */
final class Hmat {
    private static final int INITIATOR_VALID = 1;
    private static final int READ_LATENCY = 1;
    private static final int WRITE_LATENCY = 2;
    private static final int READ_BANDWIDTH = 4;
    private static final int WRITE_BANDWIDTH = 5;
    private static final int LARGEST = 0xFFFE; // 0xFFFF says unreachable, 0 says nothing
    private static final long PICOSECONDS = 1000;

    private Hmat() {}

    static AcpiTable render(NumaDescription numa, List<Integer> initiators, List<Integer> targets) {
        var b = new Bytes().u32(0);
        for (int target : targets) {
            // Memory without processors of its own is attached to none.
            boolean local = initiators.contains(target);
            b.u16(0)
                    .u16(0)
                    .u32(40)
                    .u16(local ? INITIATOR_VALID : 0)
                    .u16(0)
                    .u32(local ? target : 0)
                    .u32(target);
            b.zeros(20);
        }
        locality(b, numa, initiators, targets, READ_LATENCY, PICOSECONDS, Performance::readLatency);
        locality(b, numa, initiators, targets, WRITE_LATENCY, PICOSECONDS, Performance::writeLatency);
        locality(b, numa, initiators, targets, READ_BANDWIDTH, 1, Performance::readBandwidth);
        locality(b, numa, initiators, targets, WRITE_BANDWIDTH, 1, Performance::writeBandwidth);
        return AcpiTable.of("HMAT", 2, b.toArray());
    }

    private static void locality(
            Bytes b,
            NumaDescription numa,
            List<Integer> initiators,
            List<Integer> targets,
            int dataType,
            long unit,
            ToLongFunction<Performance> value) {
        long divisor = 0;
        long largest = 0;
        for (int from : initiators) {
            for (int to : targets) {
                long v = value.applyAsLong(numa.performance(from, to));
                divisor = gcd(divisor, v);
                largest = Math.max(largest, v);
            }
        }
        if (largest == 0) {
            return;
        }
        // Entries have 16 bits: exact in units of the common divisor where that is enough, else rounded.
        long scale = largest <= LARGEST ? 1 : divisor;
        if (largest / scale > LARGEST) {
            scale = (largest + LARGEST - 1) / LARGEST;
        }
        int i = initiators.size();
        int t = targets.size();
        b.u16(1)
                .u16(0)
                .u32(32 + 4 * i + 4 * t + 2 * i * t)
                .u8(0)
                .u8(dataType)
                .u8(0)
                .u8(0);
        b.u32(i).u32(t).u32(0).u64(scale * unit);
        initiators.forEach(b::u32);
        targets.forEach(b::u32);
        for (int from : initiators) {
            for (int to : targets) {
                long v = value.applyAsLong(numa.performance(from, to));
                b.u16(v == 0 ? 0 : Math.clamp((v + scale / 2) / scale, 1, LARGEST));
            }
        }
    }

    private static long gcd(long a, long b) {
        return b == 0 ? a : gcd(b, a % b);
    }
}
