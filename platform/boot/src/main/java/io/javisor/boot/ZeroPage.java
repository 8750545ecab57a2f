package io.javisor.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * The zero page, {@code struct boot_params} (Linux, arch/x86/include/uapi/asm/bootparam.h), and the setup_data list that goes
 * with it:
 *
 * <pre>
 *   070 acpi_rsdp_addr   0C0 ext_ramdisk_image   0C4 ext_ramdisk_size   1E8 e820_entries   1F1 setup header
 *   210 type_of_loader   218 ramdisk_image       21C ramdisk_size       228 cmd_line_ptr   250 setup_data   2D0 e820_table
 * </pre>
 */
final class ZeroPage {
    static final int LENGTH = 4096;

    private static final int HEADER = 0x1F1;
    private static final int E820_TABLE = 0x2D0;
    private static final int E820_ENTRY = 20;
    private static final int E820_MAX = 128; // E820_MAX_ENTRIES_ZEROPAGE
    private static final int SETUP_DATA_HEADER = 16;
    private static final int SETUP_E820_EXT = 1;
    private static final int SETUP_RNG_SEED = 9;
    private static final int UNREGISTERED_LOADER = 0xFF;

    /** Most bytes of setup_data, so that it ends below {@link BootAddresses#LOW_END} behind any command line. */
    private static final int SETUP_DATA_AREA = 0x10000;

    private final ByteBuffer page = ByteBuffer.allocate(LENGTH).order(ByteOrder.LITTLE_ENDIAN);
    private final ByteBuffer setupData;
    private final long setupDataAt;

    /**
     * @param setupHeader from the kernel
     * @param map of memory
     * @param seed for the kernel's random numbers, at most 1 KiB; none if empty
     * @param rsdp where it lies
     * @param setupDataAt where {@link #setupData} will lie, a multiple of 8
     */
    ZeroPage(byte[] setupHeader, List<E820Entry> map, byte[] seed, long rsdp, long setupDataAt) {
        this.setupDataAt = setupDataAt;
        page.put(HEADER, setupHeader);
        page.put(0x210, (byte) UNREGISTERED_LOADER);
        page.putLong(0x070, rsdp);
        page.putInt(0x228, (int) BootAddresses.COMMAND_LINE);

        List<E820Entry> first = map.subList(0, Math.min(map.size(), E820_MAX));
        List<E820Entry> rest = map.subList(first.size(), map.size());
        page.put(0x1E8, (byte) first.size());
        page.put(E820_TABLE, entries(first));

        if (2 * SETUP_DATA_HEADER + seed.length + 8 + rest.size() * E820_ENTRY > SETUP_DATA_AREA) {
            throw BootException.memory("the memory map has " + map.size() + " entries, too many to tell the kernel");
        }
        setupData = ByteBuffer.allocate(SETUP_DATA_AREA).order(ByteOrder.LITTLE_ENDIAN);
        long link = 0;
        if (seed.length > 0) {
            link = append(link, SETUP_RNG_SEED, seed);
        }
        if (!rest.isEmpty()) {
            link = append(link, SETUP_E820_EXT, entries(rest));
        }
        page.putLong(0x250, link);
        setupData.flip();
    }

    // Entries of the list are 8-byte aligned; each new one points to the one before.
    private long append(long next, int type, byte[] data) {
        int at = (setupData.position() + 7) & -8;
        setupData.position(at).putLong(next).putInt(type).putInt(data.length).put(data);
        return setupDataAt + at;
    }

    private static byte[] entries(List<E820Entry> list) {
        ByteBuffer b = ByteBuffer.allocate(list.size() * E820_ENTRY).order(ByteOrder.LITTLE_ENDIAN);
        for (E820Entry e : list) {
            b.putLong(e.gpa()).putLong(e.length()).putInt(e.type().code());
        }
        return b.array();
    }

    void initrd(long gpa, long length) {
        page.putInt(0x218, (int) gpa).putInt(0x0C0, (int) (gpa >>> 32));
        page.putInt(0x21C, (int) length).putInt(0x0C4, (int) (length >>> 32));
    }

    byte[] page() {
        return page.array().clone();
    }

    /** What goes to its place. */
    byte[] setupData() {
        byte[] bytes = new byte[setupData.limit()];
        setupData.get(0, bytes);
        return bytes;
    }
}
