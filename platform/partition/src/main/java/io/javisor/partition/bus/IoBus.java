package io.javisor.partition.bus;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One address space of device registers: I/O ports or device memory (MMIO). Reads of addresses that nobody claimed give
 * all ones and writes to them vanish, as on a PC. All accesses are counted. Look-ups need no lock and allocate nothing.
 */
public final class IoBus {
    /** The name under which accesses are counted that no device claimed. */
    public static final String UNCLAIMED = "unclaimed";

    private record Range(long base, long length, IoDevice device, String name, AccessCounter counter) {}

    private final String name;
    private final AccessCounter unclaimed = new AccessCounter();
    private volatile Range[] ranges = {};

    /** @param name for error messages: {@code "port"} or {@code "MMIO"} */
    public IoBus(String name) {
        this.name = name;
    }

    /**
     * Claims a range for a device.
     *
     * @param deviceName for error messages, and for {@link #accesses}: ranges of the same name are counted as one
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
        next.add(new Range(base, length, device, deviceName, new AccessCounter()));
        next.sort(Comparator.comparingLong(Range::base));
        ranges = next.toArray(Range[]::new);
    }

    /** Reads {@code size} (1, 2, 4 or 8) bytes at an address. */
    public long read(long address, int size) {
        Range r = find(address, size);
        if (r == null) {
            unclaimed.countRead();
            return -1L;
        }
        r.counter.countRead();
        return r.device.read(address - r.base, size);
    }

    /** Writes {@code size} (1, 2, 4 or 8) bytes at an address. */
    public void write(long address, int size, long value) {
        Range r = find(address, size);
        if (r == null) {
            unclaimed.countWrite();
            return;
        }
        r.counter.countWrite();
        r.device.write(address - r.base, size, value);
    }

    /** What each device was asked so far, by its name, and under {@link #UNCLAIMED} what none was; at any time. */
    public Map<String, Accesses> accesses() {
        var all = new TreeMap<String, Accesses>();
        all.put(UNCLAIMED, unclaimed.now());
        for (Range r : ranges) {
            all.merge(r.name, r.counter.now(), Accesses::plus);
        }
        return all;
    }

    /** The name of the device that an access of one byte goes to, or {@link #UNCLAIMED}. */
    public String deviceAt(long address) {
        Range r = find(address, 1);
        return r == null ? UNCLAIMED : r.name;
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
