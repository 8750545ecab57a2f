package io.javisor.jmh;

import io.javisor.kvm.partition.MemfdBacking;
import io.javisor.linux.PageSize;
import io.javisor.partition.GuestMemory;
import io.javisor.partition.MemoryRegion;
import io.javisor.vmbus.ring.IncomingRing;
import io.javisor.vmbus.ring.OutgoingRing;
import io.javisor.vmbus.ring.PacketBuffer;
import io.javisor.vmbus.ring.PacketTypes;
import io.javisor.vmbus.ring.PageRuns;
import io.javisor.vmbus.ring.RingMemory;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Packets of 64 bytes through a ring of 64 KiB, both ends in one thread: staged, published in batches, and each copied out and
 * checked. One operation is one packet, written and read.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2) // since each JVM compiles a little differently
@Warmup(iterations = 10, time = 200, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 120, time = 25, timeUnit = TimeUnit.MILLISECONDS) // short: a pair shares the machine's mood
public class RingPackets {
    private static final int DATA = 65536;
    private static final int PAYLOAD = 64;
    private static final int PACKETS = 64;

    /** A packet is published when it is written. */
    @Benchmark
    @OperationsPerInvocation(PACKETS)
    public long batchesOf1(Ring ring) {
        return ring.packets(1);
    }

    /** Eight packets are published together. */
    @Benchmark
    @OperationsPerInvocation(PACKETS)
    public long batchesOf8(Ring ring) {
        return ring.packets(8);
    }

    /** 64 packets are published together. */
    @Benchmark
    @OperationsPerInvocation(PACKETS)
    public long batchesOf64(Ring ring) {
        return ring.packets(64);
    }

    /** A ring in guest memory with both of its ends. */
    @State(Scope.Thread)
    public static class Ring {
        private final MemfdBacking backing = MemfdBacking.reserve("ring", 2 << 20, PageSize.KIB_4);
        private final MemorySegment payload = MemorySegment.ofArray(new byte[PAYLOAD]);
        private final PacketBuffer packet = new PacketBuffer(4096);
        private final OutgoingRing out;
        private final IncomingRing in;

        /** An empty one. */
        public Ring() {
            var memory = new GuestMemory();
            memory.add(new MemoryRegion(0, 2 << 20, 0, backing, 0));
            var pages = new PageRuns(memory);
            pages.add(0, 4096 + DATA);
            pages.seal();
            var ring = new RingMemory(pages);
            ring.initialize();
            out = new OutgoingRing(ring);
            in = new IncomingRing(ring);
        }

        long packets(int batch) {
            long sum = 0;
            for (int done = 0; done < PACKETS; done += batch) {
                for (int i = 0; i < batch; i++) {
                    if (!out.write(PacketTypes.IN_BAND, 0, i, payload, 0, PAYLOAD)) {
                        throw new IllegalStateException("a full ring");
                    }
                }
                sum += out.publish() ? 1 : 0;
                while (in.next(packet)) {
                    sum += packet.transactionId();
                }
                sum += in.commit() ? 1 : 0;
            }
            return sum;
        }

        /** Gives it back. */
        @TearDown
        public void close() {
            backing.close();
        }
    }
}
