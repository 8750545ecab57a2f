package io.javisor.kvm.partition;

import io.javisor.linux.Advice;
import io.javisor.linux.Errno;
import io.javisor.linux.HostFile;
import io.javisor.linux.LinuxException;
import io.javisor.linux.Mapping;
import io.javisor.linux.MemoryPolicy;
import io.javisor.linux.PageSize;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.MemoryBacking;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Guest memory from an anonymous memory file: reserved as a whole, filled by the host page by page as it is touched, and given
 * back by punching holes. Mapped once, at an address that suits huge pages.
 */
public final class MemfdBacking implements MemoryBacking {
    private final String name;
    private final PageSize pages;
    private final HostFile file;
    private final Mapping mapping;
    private final AtomicLong covered = new AtomicLong(); // bytes behind which the memory file is not

    private MemfdBacking(String name, PageSize pages, HostFile file, Mapping mapping) {
        this.name = name;
        this.pages = pages;
        this.file = file;
        this.mapping = mapping;
    }

    /**
     * Reserves memory; nothing of it is resident yet.
     *
     * @param name for /proc/PID/maps and messages
     * @param size bytes, a multiple of the page size
     * @param pages 4 KiB pages (gathered to huge ones where the host's {@code shmem_enabled} lets it), or hugetlb pages
     * @throws HypervisorException if the host refuses
     */
    public static MemfdBacking reserve(String name, long size, PageSize pages) {
        if (size <= 0 || size % pages.bytes() != 0) {
            throw new IllegalArgumentException(
                    name + ": " + size + " bytes is not a multiple of the page size " + pages.bytes());
        }
        HostFile file = null;
        Mapping mapping = null;
        try {
            file = HostFile.memory(name, pages);
            file.truncate(size);
            mapping = Mapping.of(file.descriptor(), 0, size, Mapping.Access.SHARED);
            if (pages == PageSize.KIB_4) {
                mapping.tryAdvise(0, size, Advice.HUGE_PAGE); // EINVAL where the kernel has none: merely slower
            }
            mapping.advise(0, size, Advice.DONT_DUMP);
            return new MemfdBacking(name, pages, file, mapping);
        } catch (LinuxException e) {
            if (mapping != null) {
                mapping.close();
            }
            if (file != null) {
                file.close();
            }
            throw refused("reserve", name, size, pages, e);
        }
    }

    @Override
    public MemorySegment segment() {
        return mapping.segment();
    }

    @Override
    public long pageSize() {
        return pages.bytes();
    }

    @Override
    public void discard(long offset, long length) {
        check(offset, length);
        file.punchHole(offset, length);
    }

    @Override
    public void populate(long offset, long length) {
        check(offset, length);
        int result = mapping.tryAdvise(offset, length, Advice.POPULATE_WRITE);
        if (result < 0) {
            throw refused("populate", name, length, pages, new LinuxException("madvise", name, -result));
        }
    }

    @Override
    public void bind(long offset, long length, Policy policy, long hostNodes, boolean move) {
        check(offset, length);
        MemoryPolicy kernel = switch (policy) {
            case DEFAULT -> MemoryPolicy.DEFAULT;
            case PREFERRED -> policy(MemoryPolicy.Mode.PREFERRED_MANY, hostNodes);
            case BIND -> policy(MemoryPolicy.Mode.BIND, hostNodes);
            case INTERLEAVE -> policy(MemoryPolicy.Mode.INTERLEAVE, hostNodes);
        };
        kernel.apply(mapping.segment().asSlice(offset, length), move);
    }

    @Override
    public long residentBytes() {
        return file.status().allocatedBytes();
    }

    /** Puts the beginning of a file in place of a range. */
    void cover(long offset, long length, HostFile with) {
        cover(offset, length, with, 0);
    }

    /** Puts part of a file in place of a range. */
    void cover(long offset, long length, HostFile with, long position) {
        check(offset, length);
        file.punchHole(offset, length);
        mapping.map(offset, length, with.descriptor(), position, Mapping.Access.SHARED);
        covered.addAndGet(length);
    }

    /** Puts memory in place of a file again; it reads as zeroes. */
    void uncover(long offset, long length) {
        check(offset, length);
        mapping.map(offset, length, file.descriptor(), offset, Mapping.Access.SHARED);
        covered.addAndGet(-length);
        if (pages == PageSize.KIB_4) {
            mapping.tryAdvise(offset, length, Advice.HUGE_PAGE);
        }
        mapping.advise(offset, length, Advice.DONT_DUMP);
    }

    @Override
    public long nextTouched(long offset) {
        // The memory file has holes where another covers it, whatever that one holds.
        return covered.get() == 0 ? file.nextData(offset) : MemoryBacking.super.nextTouched(offset);
    }

    @Override
    public long nextUntouched(long offset) {
        return covered.get() == 0 ? file.nextHole(offset) : MemoryBacking.super.nextUntouched(offset);
    }

    @Override
    public void close() {
        mapping.close();
        file.close();
    }

    private static MemoryPolicy policy(MemoryPolicy.Mode mode, long hostNodes) {
        return new MemoryPolicy(mode, BitSet.valueOf(new long[] {hostNodes}));
    }

    private void check(long offset, long length) {
        if (offset < 0 || length <= 0 || offset > mapping.size() - length || (offset | length) % pages.bytes() != 0) {
            throw new IllegalArgumentException(name + ": range 0x" + Long.toHexString(offset) + " + 0x"
                    + Long.toHexString(length) + " of 0x" + Long.toHexString(mapping.size())
                    + " is outside, or not in whole pages of " + pages.bytes());
        }
    }

    private static HypervisorException refused(String verb, String name, long size, PageSize pages, LinuxException e) {
        String remedy;
        if (pages != PageSize.KIB_4) {
            remedy = "raise /sys/kernel/mm/hugepages/hugepages-" + pages.bytes() / 1024
                    + "kB/nr_hugepages, or use ordinary pages";
        } else if (e.errno() == Errno.EMFILE || e.errno() == Errno.ENFILE) {
            remedy = "raise the limit of open files: ulimit -n";
        } else if (e.errno() == Errno.ENOMEM) {
            remedy = "free host memory, raise vm.max_map_count or RLIMIT_AS, or give the machine less";
        } else {
            remedy = "see the errno";
        }
        return new HypervisorException(
                "guest-memory",
                "can't " + verb + " " + size + " bytes of guest memory for " + name + ": " + e.getMessage(),
                e.call(),
                e.errno(),
                remedy,
                e);
    }
}
