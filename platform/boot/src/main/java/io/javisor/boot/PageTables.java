package io.javisor.boot;

import io.javisor.partition.GuestMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The first 4 GiB mapped to themselves with 2 MiB pages, and the GDT that goes with them. */
final class PageTables {
    /** Addresses that the guest can reach when it begins. */
    static final long MAPPED = 4L << 30;

    private static final int PAGE = 4096;
    private static final int DIRECTORIES = 4;
    private static final long PRESENT_WRITABLE = 0x3;
    private static final long LARGE = 0x80;
    private static final long CODE_64 = 0x00AF_9B00_0000_FFFFL;
    private static final long DATA = 0x00CF_9300_0000_FFFFL;

    private PageTables() {}

    static void write(GuestMemory memory) {
        long base = BootAddresses.PAGE_TABLES;
        ByteBuffer b = ByteBuffer.allocate((2 + DIRECTORIES) * PAGE).order(ByteOrder.LITTLE_ENDIAN);
        b.putLong(0, (base + PAGE) | PRESENT_WRITABLE);
        for (int d = 0; d < DIRECTORIES; d++) {
            b.putLong(PAGE + 8 * d, (base + (2L + d) * PAGE) | PRESENT_WRITABLE);
        }
        for (int i = 0; i < DIRECTORIES * 512; i++) {
            b.putLong(2 * PAGE + 8 * i, ((long) i << 21) | LARGE | PRESENT_WRITABLE);
        }
        memory.write(base, b.array());
        memory.putLong(BootAddresses.GDT, 0);
        memory.putLong(BootAddresses.GDT + 8, 0);
        memory.putLong(BootAddresses.GDT + 0x10, CODE_64);
        memory.putLong(BootAddresses.GDT + 0x18, DATA);
    }
}
