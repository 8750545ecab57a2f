package io.javisor.jmh;

import io.javisor.kvm.partition.KvmPartition;
import io.javisor.kvm.partition.LongModeEntry;
import io.javisor.kvm.partition.MemfdBacking;
import io.javisor.kvm.partition.PartitionConfig;
import io.javisor.linux.PageSize;
import io.javisor.partition.MemoryRegion;
import io.javisor.partition.bus.Accesses;
import io.javisor.partition.bus.IoBus;
import io.javisor.partition.bus.IoDevice;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Set;

/** A machine's partition with one vCPU, 2 MiB of memory, one device that counts and a dozen that nobody uses. */
final class BenchmarkPartition implements AutoCloseable {
    private static final int MEMORY = 2 << 20;
    static final int CODE = 0x1000;
    static final int TABLES = 0x2000;
    static final int GDT = 0x5000;
    private static final int PORT = 0x10;
    /** Inside what the page tables map, outside what has memory. */
    private static final int REGISTER = 0x3000_0000;

    private static final int OTHERS = 12;
    private static final int PRESENT_WRITABLE = 3;
    private static final int LARGE_PAGE = 0x80;

    private final MemfdBacking memory = MemfdBacking.reserve("benchmark", MEMORY, PageSize.KIB_4);
    private final CountingDevice device = new CountingDevice();
    private final KvmPartition partition;

    BenchmarkPartition(byte[] code) {
        var config =
                new PartitionConfig("benchmark", List.of(0), (vcpu, supported) -> supported.get(), false, Set.of());
        partition = KvmPartition.create(
                config, new BenchmarkFailures(), List.of(new MemoryRegion(0, MEMORY, 0, memory, 0)));
        claim(partition.ports(), PORT, 0x100);
        claim(partition.mmio(), REGISTER, 0x1000);
        partition.memory().write(0, image(code));
        partition.setEntry(new LongModeEntry(CODE, REGISTER, 0, TABLES, GDT, 31, 0x10, 0x18));
        partition.start();
        device.awaitBatch();
    }

    /** The guest's first pages: its code and page tables for 1 GiB. */
    static byte[] image(byte[] code) {
        ByteBuffer image = ByteBuffer.allocate(GDT).order(ByteOrder.LITTLE_ENDIAN);
        image.put(CODE, code);
        image.putLong(TABLES, TABLES + 0x1000 + PRESENT_WRITABLE);
        image.putLong(TABLES + 0x1000, TABLES + 0x2000 + PRESENT_WRITABLE);
        for (int i = 0; i < 512; i++) {
            image.putLong(TABLES + 0x2000 + 8 * i, (long) i << 21 | LARGE_PAGE | PRESENT_WRITABLE);
        }
        return image.array();
    }

    private void claim(IoBus bus, int base, int stride) {
        bus.claim("counting", base, 16, device);
        for (int i = 1; i <= OTHERS; i++) {
            bus.claim("idle" + i, base + (long) i * stride, 16, new Idle());
        }
    }

    CountingDevice device() {
        return device;
    }

    /** Exits and accesses so far, read as anybody may read them. */
    long counted() {
        return partition.exitCounts().values().stream()
                        .mapToLong(Long::longValue)
                        .sum()
                + partition.deviceAccesses().values().stream()
                        .mapToLong(Accesses::total)
                        .sum();
    }

    @Override
    public void close() {
        device.end();
        partition.close();
        memory.close();
    }

    /** A device that nobody uses. */
    private static final class Idle implements IoDevice {
        @Override
        public long read(long offset, int size) {
            return 0;
        }

        @Override
        public void write(long offset, int size, long value) {}
    }
}
