package io.javisor.boot;

import io.javisor.partition.GuestAddressException;
import io.javisor.partition.GuestMemory;
import io.javisor.partition.MemoryBacking;
import io.javisor.partition.MemoryRegion;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Moves bytes of a source into guest memory without a copy on the heap, across adjacent regions. */
final class GuestCopy {
    private static final int PAGE = 4096;

    private GuestCopy() {}

    /**
     * Returns how many bytes were there to read, at most {@code length}.
     *
     * @throws InternalError if the host can't give the memory: what the JVM makes of SIGBUS
     */
    static long copy(ByteSource.Reader from, long position, GuestMemory memory, long gpa, long length)
            throws IOException {
        check(memory, gpa, length);
        long done = 0;
        for (MemoryRegion r : memory.regions()) {
            long at = Math.max(gpa + done, r.gpa());
            long end = Math.min(gpa + length, r.end());
            if (at < end) {
                long n = read(from, position + done, r.segment().asSlice(at - r.gpa(), end - at));
                done += n;
                if (n < end - at) {
                    break;
                }
            }
        }
        return done;
    }

    private static long read(ByteSource.Reader from, long position, MemorySegment into) throws IOException {
        try {
            return from.read(position, into);
        } catch (IOException e) {
            // The file may be well and the memory not to be had, which the kernel calls a bad address: the touch says
            // so.
            for (long at = 0; at < into.byteSize(); at += PAGE) {
                into.set(ValueLayout.JAVA_BYTE, at, (byte) 0);
            }
            throw e;
        }
    }

    /** Makes it zero, and touches only what somebody has touched before: a kernel's .bss costs a fresh machine no memory. */
    static void zero(GuestMemory memory, long gpa, long length) {
        check(memory, gpa, length);
        for (MemoryRegion r : memory.regions()) {
            long at = Math.max(gpa, r.gpa());
            long end = Math.min(gpa + length, r.end());
            if (at < end) {
                long shift = r.backingOffset() - r.gpa();
                zero(r.backing(), at + shift, end + shift);
            }
        }
    }

    private static void zero(MemoryBacking backing, long from, long end) {
        for (long at = backing.nextTouched(from); at >= 0 && at < end; ) {
            long stop = Math.min(end, backing.nextUntouched(at));
            backing.segment().asSlice(at, stop - at).fill((byte) 0);
            at = stop < end ? backing.nextTouched(stop) : -1;
        }
    }

    private static void check(GuestMemory memory, long gpa, long length) {
        if (!memory.contains(gpa, length)) {
            throw new GuestAddressException(gpa, length);
        }
    }
}
