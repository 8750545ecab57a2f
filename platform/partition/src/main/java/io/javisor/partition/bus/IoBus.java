package io.javisor.partition.bus;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * One address space of device registers: I/O ports or device memory (MMIO). Reads of addresses that nobody claimed give
 * all ones and writes to them vanish, as on a PC; both are counted. Look-ups need no lock and allocate nothing.
 */
public final class IoBus {
    private record Range(long base, long length, IoDevice device, String name) {}

    private final String name;
    private final LongAdder unclaimed = new LongAdder();
    private volatile Range[] ranges = {};

    /** @param name for error messages: {@code "port"} or {@code "MMIO"} */
    public IoBus(String name) {
        this.name = name;
    }

    /**
     * Claims a range for a device.
     *
     * @param deviceName for error messages
     * @throws IllegalArgumentException if the range overlaps another's
     */
    public synchronized void claim(String deviceName, long base, long length, IoDevice device) {
        if (base < 0 || length <= 0 || base + length < 0) {
            throw new IllegalArgumentException(deviceName + ": bad " + name + " range 0x" + Long.toHexString(base)
                    + " + 0x" + Long.toHexString(length));
        }
        var next = new ArrayList<>(List.of(ranges));
        for (Range r : next) {
            if (base < r.base + r.length && r.base < base + length) {
                throw new IllegalArgumentException(deviceName + ": " + name + " range 0x" + Long.toHexString(base)
                        + " + 0x" + Long.toHexString(length) + " overlaps that of " + r.name);
            }
        }
        next.add(new Range(base, length, device, deviceName));
        next.sort(Comparator.comparingLong(Range::base));
        ranges = next.toArray(Range[]::new);
    }

    /** Reads {@code size} (1, 2, 4 or 8) bytes at an address. */
    public long read(long address, int size) {
        Range r = find(address, size);
        if (r == null) {
            unclaimed.increment();
            return -1L;
        }
        return r.device.read(address - r.base, size);
    }

    /** Writes {@code size} (1, 2, 4 or 8) bytes at an address. */
    public void write(long address, int size, long value) {
        Range r = find(address, size);
        if (r == null) {
            unclaimed.increment();
            return;
        }
        r.device.write(address - r.base, size, value);
    }

    /** How many accesses nobody claimed. */
    public long unclaimedAccesses() {
        return unclaimed.sum();
    }

    private @Nullable Range find(long address, int size) {
        Range[] all = ranges;
        int low = 0;
        int high = all.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            Range r = all[middle];
            if (address < r.base) {
                high = middle - 1;
            } else if (address - r.base >= r.length) {
                low = middle + 1;
            } else {
                return size <= r.length - (address - r.base) ? r : null;
            }
        }
        return null;
    }
}
