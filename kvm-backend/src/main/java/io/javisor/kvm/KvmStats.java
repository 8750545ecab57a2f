package io.javisor.kvm;

import static io.javisor.kvm.abi.Struct.offset;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.javisor.kvm.abi.SystemAbi;
import io.javisor.linux.Descriptor;
import io.javisor.linux.HostFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The kernel's statistics of a VM or a vCPU (KVM_GET_STATS_FD), safe from any thread. Reading does not wait for a running
 * guest, but opening does: open before the first run.
 */
public final class KvmStats implements AutoCloseable {
    private static final int MAX_STATISTICS = 4096;

    private final HostFile file;
    private final String id;
    private final List<Statistic> statistics;
    private final long dataOffset;
    private final long dataBytes;

    /**
     * One statistic.
     *
     * @param name as the kernel calls it: {@code "exits"}
     * @param flags type, unit and base (KVM_STATS_…, linux/kvm.h)
     * @param exponent of the unit
     * @param size values: 1, or the buckets of a histogram
     * @param offset in the data block, bytes
     */
    public record Statistic(String name, int flags, int exponent, int size, int offset) {}

    private KvmStats(HostFile file) {
        this.file = file;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment header = read(arena, 0, SystemAbi.STATS_HEADER.byteSize());
            int nameSize = header.get(JAVA_INT, offset(SystemAbi.STATS_HEADER, "name_size"));
            int count = Math.clamp(header.get(JAVA_INT, offset(SystemAbi.STATS_HEADER, "num_desc")), 0, MAX_STATISTICS);
            id = text(read(arena, header.get(JAVA_INT, offset(SystemAbi.STATS_HEADER, "id_offset")), nameSize));
            dataOffset = header.get(JAVA_INT, offset(SystemAbi.STATS_HEADER, "data_offset"));
            long size = SystemAbi.STATS_DESCRIPTION.byteSize() + nameSize;
            MemorySegment all =
                    read(arena, header.get(JAVA_INT, offset(SystemAbi.STATS_HEADER, "desc_offset")), size * count);
            List<Statistic> list = new ArrayList<>(count);
            long end = 0;
            for (int i = 0; i < count; i++) {
                MemorySegment d = all.asSlice(i * size, size);
                Statistic s = new Statistic(
                        text(d.asSlice(SystemAbi.STATS_DESCRIPTION.byteSize())),
                        d.get(JAVA_INT, offset(SystemAbi.STATS_DESCRIPTION, "flags")),
                        d.get(JAVA_SHORT, offset(SystemAbi.STATS_DESCRIPTION, "exponent")),
                        Short.toUnsignedInt(d.get(JAVA_SHORT, offset(SystemAbi.STATS_DESCRIPTION, "size"))),
                        d.get(JAVA_INT, offset(SystemAbi.STATS_DESCRIPTION, "offset")));
                list.add(s);
                end = Math.max(end, s.offset + 8L * s.size);
            }
            statistics = List.copyOf(list);
            dataBytes = end;
        }
    }

    static KvmStats of(Descriptor descriptor) {
        try {
            return new KvmStats(HostFile.of(descriptor));
        } catch (RuntimeException e) {
            descriptor.close();
            throw e;
        }
    }

    private MemorySegment read(Arena arena, long position, long size) {
        MemorySegment bytes = arena.allocate(Math.max(size, 8), 8);
        long n = size == 0 ? 0 : file.read(bytes.asSlice(0, size), position);
        if (n != size) {
            throw new KvmException(
                    "kvm-refused",
                    "KVM statistics end at " + (position + n) + ", not " + (position + size),
                    "pread",
                    0,
                    null,
                    null);
        }
        return bytes;
    }

    private static String text(MemorySegment bytes) {
        byte[] all = bytes.toArray(JAVA_BYTE);
        int end = 0;
        while (end < all.length && all[end] != 0) {
            end++;
        }
        return new String(all, 0, end, StandardCharsets.US_ASCII);
    }

    /** Whose they are: {@code "kvm-1234/vcpu-0"}. */
    public String id() {
        return id;
    }

    /** What there is. */
    public List<Statistic> statistics() {
        return statistics;
    }

    /** The first value of each statistic now, by name. */
    public Map<String, Long> values() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = read(arena, dataOffset, dataBytes);
            Map<String, Long> values = new LinkedHashMap<>();
            for (Statistic s : statistics) {
                if (s.size > 0) {
                    values.put(s.name, data.get(JAVA_LONG, s.offset));
                }
            }
            return values;
        }
    }

    /**
     * The first value of one statistic now.
     *
     * @throws IllegalArgumentException if this kernel has none of that name
     */
    public long value(String name) {
        for (Statistic s : statistics) {
            if (s.name.equals(name) && s.size > 0) {
                return values(s)[0];
            }
        }
        throw new IllegalArgumentException(id + " has no statistic " + name);
    }

    /** All values of one statistic now: the buckets of a histogram. */
    public long[] values(Statistic statistic) {
        try (Arena arena = Arena.ofConfined()) {
            return read(arena, dataOffset + statistic.offset, 8L * statistic.size)
                    .asSlice(0, 8L * statistic.size)
                    .toArray(JAVA_LONG);
        }
    }

    /** Closes the statistics, not the vCPU or VM. Idempotent. */
    @Override
    public void close() {
        file.close();
    }
}
