package io.javisor.boot;

import io.javisor.partition.topology.AddressSpacePlan;
import io.javisor.partition.topology.AddressSpacePlan.Range;
import java.util.ArrayList;
import java.util.List;

/**
 * One entry of the memory map that the guest is given (ACPI 6.5 section 15.1).
 *
 * @param gpa first guest-physical address
 * @param length bytes
 * @param type what it is
 */
public record E820Entry(long gpa, long length, Type type) {
    /** What a range of addresses is, with its code (ACPI 6.5 table 15.4). */
    public enum Type {
        /** Free for the guest to use. */
        USABLE(1),
        /** Not to be touched. */
        RESERVED(2),
        /** ACPI tables. */
        ACPI(3);

        private final int code;

        Type(int code) {
            this.code = code;
        }

        int code() {
            return code;
        }
    }

    /** The first address after it. */
    public long end() {
        return gpa + length;
    }

    /**
     * The map of a machine. Adjacent memory is one entry, whichever node it is of. Growth windows are in none: the guest is
     * told of memory there when it is added.
     *
     * @param acpi where ACPI tables lie above 1 MiB; length 0 if nowhere
     */
    static List<E820Entry> map(AddressSpacePlan plan, long acpi, long acpiLength) {
        var map = new ArrayList<E820Entry>();
        for (Range r : plan.bootMemory()) {
            usable(map, r.gpa(), Math.min(r.end(), BootAddresses.LOW_END));
            if (r.gpa() < BootAddresses.BIOS_END) {
                map.add(new E820Entry(
                        BootAddresses.BIOS_START, BootAddresses.BIOS_END - BootAddresses.BIOS_START, Type.RESERVED));
            }
            long start = Math.max(r.gpa(), BootAddresses.BIOS_END);
            if (acpiLength > 0 && acpi >= start && acpi < r.end()) {
                usable(map, start, acpi);
                map.add(new E820Entry(acpi, acpiLength, Type.ACPI));
                start = acpi + acpiLength;
            }
            usable(map, start, r.end());
        }
        return map;
    }

    private static void usable(List<E820Entry> map, long start, long end) {
        if (start >= end) {
            return;
        }
        E820Entry last = map.isEmpty() ? null : map.getLast();
        if (last != null && last.type == Type.USABLE && last.end() == start) {
            map.set(map.size() - 1, new E820Entry(last.gpa, end - last.gpa, Type.USABLE));
        } else {
            map.add(new E820Entry(start, end - start, Type.USABLE));
        }
    }
}
