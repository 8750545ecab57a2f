package io.javisor.boot;

import io.javisor.partition.GuestMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What there is in the first 4 GiB, mapped to itself with 2 MiB pages, and the GDT that goes with it: each GiB that begins with memory
 * or has some further on, and the last, where devices are. Directories of others would cost a small machine three pages.
 */
final class PageTables {
    /** Addresses below which the guest can reach all that there is when it begins. */
    static final long MAPPED = 4L << 30;

    private static final int PAGE = 4096;
    private static final int DIRECTORIES = 4;
    private static final int ENTRIES = 512;
    private static final long PRESENT_WRITABLE = 0x3;
    private static final long LARGE = 0x80;
    private static final long CODE_64 = 0x00AF_9B00_0000_FFFFL;
    private static final long DATA = 0x00CF_9300_0000_FFFFL;

    private PageTables() {}

    static void write(GuestMemory memory) {
        long base = BootAddresses.PAGE_TABLES;
        ByteBuffer top = ByteBuffer.allocate(2 * PAGE).order(ByteOrder.LITTLE_ENDIAN);
        top.putLong(0, (base + PAGE) | PRESENT_WRITABLE);
        for (int d = 0; d < DIRECTORIES; d++) {
            if (d == DIRECTORIES - 1 || hasMemory(memory, d)) {
                long at = base + (2L + d) * PAGE;
                top.putLong(PAGE + 8 * d, at | PRESENT_WRITABLE);
                memory.write(at, directory(d));
            }
        }
        memory.write(base, top.array());
        memory.putLong(BootAddresses.GDT, 0);
        memory.putLong(BootAddresses.GDT + 8, 0);
        memory.putLong(BootAddresses.GDT + 0x10, CODE_64);
        memory.putLong(BootAddresses.GDT + 0x18, DATA);
    }

    private static byte[] directory(int gib) {
        ByteBuffer b = ByteBuffer.allocate(PAGE).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < ENTRIES; i++) {
            b.putLong((long) gib * ENTRIES + i << 21 | LARGE | PRESENT_WRITABLE);
        }
        return b.array();
    }

    private static boolean hasMemory(GuestMemory memory, int gib) {
        long from = (long) gib << 30;
        return memory.regions().stream().anyMatch(r -> r.gpa() < from + (1L << 30) && r.end() > from);
    }
}
