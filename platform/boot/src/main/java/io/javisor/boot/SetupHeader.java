package io.javisor.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The setup header of a bzImage, copied from the file once and checked. Offsets are those of boot.rst, "The Real-Mode Kernel
 * Header":
 *
 * <pre>
 *   1F1 setup_sects   1F4 syssize      1FE boot_flag     201 jump: end of header    202 "HdrS"    206 version
 *   211 loadflags     22C initrd_addr_max   230 kernel_alignment   234 relocatable_kernel         236 xloadflags
 *   238 cmdline_size  248 payload_offset    24C payload_length     258 pref_address               260 init_size
 * </pre>
 */
final class SetupHeader {
    /** How much of the file the header may take: the zero page has room up to 0x290. */
    static final int READ = 0x290;

    private static final int START = 0x1F1;
    private static final int MAGIC = 0x53726448; // "HdrS"
    private static final int OLDEST = 0x20C;
    private static final int SECTOR = 512;
    private static final int LOADED_HIGH = 1;
    private static final int XLF_KERNEL_64 = 1;
    private static final int XLF_CAN_BE_LOADED_ABOVE_4G = 2;

    private final byte[] raw;
    private final ByteBuffer fields;
    private final int end;
    private final long setupLength;
    private final long payloadLength;

    private SetupHeader(byte[] raw, int end, long setupLength, long payloadLength) {
        this.raw = raw;
        this.fields = ByteBuffer.wrap(raw)
                .order(ByteOrder.LITTLE_ENDIAN)
                .asReadOnlyBuffer()
                .order(ByteOrder.LITTLE_ENDIAN);
        this.end = end;
        this.setupLength = setupLength;
        this.payloadLength = payloadLength;
    }

    /** Checks the first bytes of a file; throws BootException if they are not those of a kernel that can be booted. */
    static SetupHeader parse(String name, byte[] start, long fileLength) {
        ByteBuffer b = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN);
        if (start.length < 0x206 || b.getInt(0x202) != MAGIC || b.getShort(0x1FE) != (short) 0xAA55) {
            throw BootException.kernel(name, "is neither a bzImage nor an ELF file (" + fileLength + " bytes)");
        }
        if (start.length < READ) {
            throw BootException.truncated(name, READ, start.length);
        }
        int version = b.getShort(0x206) & 0xFFFF;
        if (version < OLDEST) {
            throw BootException.kernel(
                    name, "speaks boot protocol " + (version >> 8) + "." + (version & 0xFF) + ", 2.12 is needed");
        }
        int end = 0x202 + (start[0x201] & 0xFF);
        if (end < 0x264 || end > READ) {
            throw BootException.kernel(
                    name, "setup header ends at 0x" + Integer.toHexString(end) + ", not in 0x264 to 0x290");
        }
        if ((b.getShort(0x236) & XLF_KERNEL_64) == 0) {
            throw BootException.kernel(name, "has no 64-bit entry point");
        }
        if ((start[0x211] & LOADED_HIGH) == 0) {
            throw BootException.kernel(name, "is a zImage, which loads below 1 MiB");
        }
        int sectors = start[START] & 0xFF;
        long setup = (long) SECTOR * ((sectors == 0 ? 4 : sectors) + 1);
        long payload = 16 * Integer.toUnsignedLong(b.getInt(0x1F4));
        if (setup + payload > fileLength) {
            throw BootException.truncated(name, setup + payload, fileLength);
        }
        var header = new SetupHeader(start, end, setup, payload);
        header.check(name);
        return header;
    }

    private void check(String name) {
        if (payloadLength <= 0x200) {
            throw BootException.kernel(
                    name, "has " + payloadLength + " bytes of protected-mode code, which can't hold its entry");
        }
        long alignment = Integer.toUnsignedLong(fields.getInt(0x230));
        // The 64-bit entry's own identity map is of 2 MiB pages; more than 1 GiB is not what any kernel asks for.
        if (Long.bitCount(alignment) != 1 || alignment < 0x1000 || alignment > 1L << 30) {
            throw BootException.kernel(
                    name, "kernel_alignment 0x" + Long.toHexString(alignment) + " is not a sensible power of two");
        }
        if (preferredAddress() < BootAddresses.BIOS_END || preferredAddress() > 1L << 52) {
            throw BootException.kernel(
                    name, "pref_address 0x" + Long.toHexString(preferredAddress()) + " is not in 1 MiB to 4 PiB");
        }
        if (initSize() < payloadLength) {
            throw BootException.kernel(
                    name, "init_size " + initSize() + " is less than the kernel's " + payloadLength + " bytes");
        }
        long payloadEnd = Integer.toUnsignedLong(fields.getInt(0x248)) + Integer.toUnsignedLong(fields.getInt(0x24C));
        if (payloadEnd > payloadLength) {
            throw BootException.kernel(
                    name,
                    "compressed payload ends at " + payloadEnd + ", past the end of the code at " + payloadLength);
        }
    }

    /** The bytes of the file that were looked at. */
    byte[] raw() {
        return raw;
    }

    /** Bytes of the file before the protected-mode code. */
    long setupLength() {
        return setupLength;
    }

    /** Bytes of protected-mode code; what follows them in the file (a signature) is not loaded. */
    long payloadLength() {
        return payloadLength;
    }

    long preferredAddress() {
        return fields.getLong(0x258);
    }

    long initSize() {
        return Integer.toUnsignedLong(fields.getInt(0x260));
    }

    long alignment() {
        return Math.max(Integer.toUnsignedLong(fields.getInt(0x230)), 2L << 20);
    }

    boolean relocatable() {
        return fields.get(0x234) != 0;
    }

    boolean loadableAbove4G() {
        return (fields.getShort(0x236) & XLF_CAN_BE_LOADED_ABOVE_4G) != 0;
    }

    int commandLineSize() {
        return (int) Math.min(Integer.toUnsignedLong(fields.getInt(0x238)), BootAddresses.COMMAND_LINE_AREA - 1);
    }

    long initrdAddressMax() {
        return Integer.toUnsignedLong(fields.getInt(0x22C));
    }

    /** Where the compressed kernel lies in the file, in bytes. */
    long compressedOffset() {
        return setupLength + Integer.toUnsignedLong(fields.getInt(0x248));
    }

    /** How long the compressed kernel is, in bytes; 0 if the header does not say. */
    long compressedLength() {
        return Integer.toUnsignedLong(fields.getInt(0x24C));
    }

    byte[] forZeroPage() {
        return Arrays.copyOfRange(raw, START, end);
    }
}
