package io.javisor.partition;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The guest-physical memory of one machine, as devices see it: checked, little-endian, safe from any thread. Regions may be
 * added while the machine runs (memory hot-add); none is unmapped before the machine is closed, so a slice that a device
 * holds stays readable. The guest writes at any time: copy a field once, check the copy, use the copy.
 */
public final class GuestMemory {
    private static final ValueLayout.OfByte U8 = ValueLayout.JAVA_BYTE;
    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** One region, resolved: what a look-up needs, without a call through the backing. */
    private record Place(long gpa, long length, MemorySegment segment, MemoryRegion region) {}

    // Sorted by address; replaced as a whole so that readers need no lock.
    private volatile Place[] places = {};

    /** Adds a region. Throws IllegalArgumentException if it overlaps one that is there. */
    public synchronized void add(MemoryRegion region) {
        var next = new ArrayList<>(List.of(places));
        for (Place p : next) {
            if (region.gpa() < p.gpa + p.length && p.gpa < region.end()) {
                throw new IllegalArgumentException("memory region 0x" + Long.toHexString(region.gpa()) + "–0x"
                        + Long.toHexString(region.end()) + " overlaps 0x" + Long.toHexString(p.gpa) + "–0x"
                        + Long.toHexString(p.gpa + p.length));
            }
        }
        next.add(new Place(region.gpa(), region.length(), region.segment(), region));
        next.sort(Comparator.comparingLong(Place::gpa));
        places = next.toArray(Place[]::new);
    }

    /** The regions, in order of address. */
    public List<MemoryRegion> regions() {
        var list = new ArrayList<MemoryRegion>();
        for (Place p : places) {
            list.add(p.region);
        }
        return List.copyOf(list);
    }

    /** Bytes of guest memory in all regions. */
    public long size() {
        long sum = 0;
        for (Place p : places) {
            sum += p.length;
        }
        return sum;
    }

    /** Whether the whole range lies in guest memory (it may span adjacent regions). */
    public boolean contains(long gpa, long length) {
        if (gpa < 0 || length < 0 || gpa + length < 0) {
            return false;
        }
        long at = gpa;
        long end = gpa + length;
        while (at < end) {
            Place p = find(at);
            if (p == null) {
                return false;
            }
            at = p.gpa + p.length;
        }
        return true;
    }

    /**
     * A view of a range that lies inside one region.
     *
     * @throws GuestAddressException if it does not
     */
    public MemorySegment slice(long gpa, long length) {
        Place p = find(gpa);
        if (p == null || length < 0 || length > p.length - (gpa - p.gpa)) {
            throw new GuestAddressException(gpa, length);
        }
        return p.segment.asSlice(gpa - p.gpa, length);
    }

    /**
     * How many bytes from an address on, up to a length, lie in one region, so that {@link #slice} takes them. 0 if the
     * address is outside guest memory. Allocates nothing.
     */
    public long runLength(long gpa, long length) {
        Place p = find(gpa);
        return p == null ? 0 : Math.min(length, p.length - (gpa - p.gpa));
    }

    /** Reads one byte. */
    public byte getByte(long gpa) {
        Place p = at(gpa, 1);
        return p.segment.get(U8, gpa - p.gpa);
    }

    /** Reads 16 bits, little-endian, at any alignment. */
    public short getShort(long gpa) {
        Place p = at(gpa, 2);
        return p.segment.get(U16, gpa - p.gpa);
    }

    /** Reads 32 bits, little-endian, at any alignment. */
    public int getInt(long gpa) {
        Place p = at(gpa, 4);
        return p.segment.get(U32, gpa - p.gpa);
    }

    /** Reads 64 bits, little-endian, at any alignment. */
    public long getLong(long gpa) {
        Place p = at(gpa, 8);
        return p.segment.get(U64, gpa - p.gpa);
    }

    /** Writes one byte. */
    public void putByte(long gpa, byte value) {
        Place p = at(gpa, 1);
        p.segment.set(U8, gpa - p.gpa, value);
    }

    /** Writes 16 bits, little-endian, at any alignment. */
    public void putShort(long gpa, short value) {
        Place p = at(gpa, 2);
        p.segment.set(U16, gpa - p.gpa, value);
    }

    /** Writes 32 bits, little-endian, at any alignment. */
    public void putInt(long gpa, int value) {
        Place p = at(gpa, 4);
        p.segment.set(U32, gpa - p.gpa, value);
    }

    /** Writes 64 bits, little-endian, at any alignment. */
    public void putLong(long gpa, long value) {
        Place p = at(gpa, 8);
        p.segment.set(U64, gpa - p.gpa, value);
    }

    /** Copies guest memory out; the range may span adjacent regions. */
    public void read(long gpa, MemorySegment into) {
        copy(gpa, into, true);
    }

    /** Copies into guest memory; the range may span adjacent regions. Nothing is written if any of it is outside. */
    public void write(long gpa, MemorySegment from) {
        copy(gpa, from, false);
    }

    /** Copies guest memory out; the range may span adjacent regions. */
    public void read(long gpa, byte[] into) {
        read(gpa, MemorySegment.ofArray(into));
    }

    /** Copies into guest memory; the range may span adjacent regions. */
    public void write(long gpa, byte[] from) {
        write(gpa, MemorySegment.ofArray(from));
    }

    private void copy(long gpa, MemorySegment other, boolean out) {
        long length = other.byteSize();
        if (!contains(gpa, length)) {
            throw new GuestAddressException(gpa, length);
        }
        for (long done = 0; done < length; ) {
            Place p = at(gpa + done, 1);
            long from = gpa + done - p.gpa;
            long n = Math.min(length - done, p.length - from);
            if (out) {
                MemorySegment.copy(p.segment, from, other, done, n);
            } else {
                MemorySegment.copy(other, done, p.segment, from, n);
            }
            done += n;
        }
    }

    private Place at(long gpa, int length) {
        Place p = find(gpa);
        if (p == null || gpa - p.gpa > p.length - length) {
            throw new GuestAddressException(gpa, length);
        }
        return p;
    }

    private @Nullable Place find(long gpa) {
        Place[] all = places;
        int low = 0;
        int high = all.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            Place p = all[middle];
            if (gpa < p.gpa) {
                high = middle - 1;
            } else if (gpa - p.gpa >= p.length) {
                low = middle + 1;
            } else {
                return p;
            }
        }
        return null;
    }
}
