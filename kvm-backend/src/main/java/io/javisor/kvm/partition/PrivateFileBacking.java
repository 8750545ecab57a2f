package io.javisor.kvm.partition;

import io.javisor.linux.Advice;
import io.javisor.linux.HostFile;
import io.javisor.linux.LinuxException;
import io.javisor.linux.Mapping;
import io.javisor.linux.MemoryPolicy;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.MemoryBacking;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Guest memory that begins as the contents of a file: mapped privately, so that pages are read when they are touched, shared
 * with everybody else who maps the file, and copied when they are written. The file is never written. It must not be changed
 * or cut short while it is mapped; it may be deleted. Safe from any thread.
 */
public final class PrivateFileBacking implements MemoryBacking {
    private static final long PAGE = 4096;

    /** Ranges that were given back stay mappings of their own, of which a process has 65,530 (vm.max_map_count). */
    private static final int MOST_CLEARED = 4096;

    private record Binding(long offset, long length, MemoryPolicy policy) {}

    private final String name;
    private final HostFile file;
    private final Mapping mapping;
    private final TreeMap<Long, Long> cleared = new TreeMap<>(); // offset to end; guarded by this
    private final List<Binding> bindings = new ArrayList<>(); // guarded by this

    private PrivateFileBacking(String name, HostFile file, Mapping mapping) {
        this.name = name;
        this.file = file;
        this.mapping = mapping;
    }

    /**
     * Maps a file.
     *
     * @param name for messages
     * @param file the contents; closed with the backing
     * @param size of the file, a multiple of 4 KiB
     * @throws LinuxException if it can't be mapped: ENODEV where its file system has no mappings
     */
    public static PrivateFileBacking map(String name, HostFile file, long size) {
        Mapping mapping = Mapping.of(file.descriptor(), 0, size, Mapping.Access.PRIVATE);
        try {
            mapping.tryAdvise(0, size, Advice.HUGE_PAGE); // only memory file systems have them, and not all
            mapping.advise(0, size, Advice.DONT_DUMP);
            return new PrivateFileBacking(name, file, mapping);
        } catch (RuntimeException e) {
            mapping.close();
            throw e;
        }
    }

    @Override
    public MemorySegment segment() {
        return mapping.segment();
    }

    @Override
    public long pageSize() {
        return PAGE;
    }

    @Override
    public synchronized void discard(long offset, long length) {
        check(offset, length);
        if (isUntouched(offset, length)) {
            return; // a hole of the file that nobody wrote to: zeroes that cost nothing, and no mapping of its own
        }
        if (cleared.size() >= MOST_CLEARED && !isCleared(offset) && !isCleared(offset + length)) {
            // The guest reads zeroes as it must; the host gets the pages back with the machine.
            mapping.segment().asSlice(offset, length).fill((byte) 0);
            return;
        }
        mapping.clear(offset, length);
        mapping.advise(offset, length, Advice.DONT_DUMP);
        remember(offset, offset + length);
        for (Binding b : List.copyOf(bindings)) {
            long from = Math.max(offset, b.offset);
            long to = Math.min(offset + length, b.offset + b.length);
            if (from < to) {
                b.policy.apply(mapping.segment().asSlice(from, to - from), false);
            }
        }
    }

    /** Whether an address lies in, or at the end of, what was given back. */
    private boolean isCleared(long offset) {
        Map.Entry<Long, Long> before = cleared.floorEntry(offset);
        return before != null && before.getValue() >= offset;
    }

    private void remember(long from, long to) {
        long start = from;
        long end = to;
        Map.Entry<Long, Long> before = cleared.floorEntry(end);
        while (before != null && before.getValue() >= start) {
            start = Math.min(start, before.getKey());
            end = Math.max(end, before.getValue());
            cleared.remove(before.getKey());
            before = cleared.floorEntry(end);
        }
        cleared.put(start, end);
    }

    @Override
    public void populate(long offset, long length) {
        check(offset, length);
        int result = mapping.tryAdvise(offset, length, Advice.POPULATE_WRITE);
        if (result < 0) {
            throw new HypervisorException(
                    "guest-memory",
                    "can't populate " + length + " bytes of guest memory for " + name,
                    "madvise",
                    -result,
                    "free host memory, or give the machine less",
                    new LinuxException("madvise", name, -result));
        }
    }

    @Override
    public synchronized void bind(long offset, long length, Policy policy, long hostNodes, boolean move) {
        check(offset, length);
        BitSet nodes = BitSet.valueOf(new long[] {hostNodes});
        MemoryPolicy kernel = switch (policy) {
            case DEFAULT -> MemoryPolicy.DEFAULT;
            case PREFERRED -> new MemoryPolicy(MemoryPolicy.Mode.PREFERRED_MANY, nodes);
            case BIND -> new MemoryPolicy(MemoryPolicy.Mode.BIND, nodes);
            case INTERLEAVE -> new MemoryPolicy(MemoryPolicy.Mode.INTERLEAVE, nodes);
        };
        kernel.apply(mapping.segment().asSlice(offset, length), move);
        bindings.removeIf(b -> b.offset >= offset && b.offset + b.length <= offset + length);
        bindings.add(new Binding(offset, length, kernel));
    }

    /** Bytes that the guest has changed; what it has only read is the file's, and shared. */
    @Override
    public long residentBytes() {
        return PageMap.ownBytes(mapping.segment());
    }

    @Override
    public long nextTouched(long offset) {
        return next(offset, true);
    }

    @Override
    public long nextUntouched(long offset) {
        long next = next(offset, false);
        return next < 0 ? mapping.size() : next;
    }

    /** The next page that is the file's data or this process's own, or that is neither. */
    private synchronized long next(long from, boolean touched) {
        return next(from, mapping.size(), touched);
    }

    private boolean isUntouched(long offset, long length) {
        return next(offset, offset + length, true) < 0;
    }

    private synchronized long next(long from, long end, boolean touched) {
        long[] found = {-1};
        long[] data = {-1, -1}; // where the file's data begins and ends, from the page that is looked at
        PageMap.visit(mapping.segment(), from & -PAGE, (offset, own) -> {
            if (offset >= end) {
                return false;
            }
            if (own || isData(data, offset) == touched) {
                if (own && !touched) {
                    return true;
                }
                found[0] = Math.max(from, offset);
                return false;
            }
            return true;
        });
        return found[0];
    }

    private boolean isData(long[] data, long offset) {
        Map.Entry<Long, Long> before = cleared.floorEntry(offset);
        if (before != null && before.getValue() > offset) {
            return false;
        }
        if (offset >= data[1]) {
            long begin = file.nextData(offset);
            data[0] = begin < 0 ? Long.MAX_VALUE : begin;
            data[1] = begin < 0 ? Long.MAX_VALUE : file.nextHole(begin);
        }
        return offset >= (data[0] & -PAGE);
    }

    @Override
    public void close() {
        mapping.close();
        file.close();
    }

    private void check(long offset, long length) {
        if (offset < 0 || length <= 0 || offset > mapping.size() - length || (offset | length) % PAGE != 0) {
            throw new IllegalArgumentException(name + ": range 0x" + Long.toHexString(offset) + " + 0x"
                    + Long.toHexString(length) + " of 0x" + Long.toHexString(mapping.size())
                    + " is outside, or not in whole pages");
        }
    }
}
