package io.javisor.storage.scsi;

import io.javisor.storage.disk.DiskTraits;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** What a disk says of itself: INQUIRY data and pages of vital product data (SPC-4 section 7.8, SBC-3 section 6.6). */
final class DiskPages {
    /** Guests know Hyper-V's disks by these words: Linux enables WRITE SAME on VMBus only for them. */
    private static final String VENDOR = "Msft    ";

    private static final String PRODUCT = "Virtual Disk    ";
    private static final String REVISION = "1.0 ";

    /** Most blocks of one UNMAP or WRITE SAME: a gibibyte, so that no command takes for ever. */
    static final long MOST_ZEROED_BYTES = 1 << 30;

    static final int MOST_UNMAP_DESCRIPTORS = 256;
    /** Most blocks of one COMPARE AND WRITE: its CDB has 8 bits. */
    static final int MOST_COMPARED_BLOCKS = 255;

    private DiskPages() {}

    static byte[] inquiry(int deviceType, String product, boolean removable, boolean portGroups) {
        ByteBuffer out = ByteBuffer.allocate(96);
        out.put(0, (byte) deviceType);
        out.put(1, (byte) (removable ? 0x80 : 0));
        out.put(2, (byte) 6); // SPC-4
        out.put(3, (byte) 2); // response data format
        out.put(4, (byte) 91);
        out.put(5, (byte) (portGroups ? 0x10 : 0)); // implicit ALUA
        out.put(7, (byte) 2); // command queuing
        out.put(8, ascii(VENDOR)).put(16, ascii(product)).put(32, ascii(REVISION));
        out.putShort(58, (short) 0x0460); // SPC-4
        out.putShort(60, (short) (deviceType == 0 ? 0x04C0 : 0x0460)); // SBC-3
        return out.array();
    }

    static byte[] diskInquiry(boolean portGroups, boolean copies) {
        byte[] data = inquiry(0, PRODUCT, false, portGroups);
        if (copies) {
            data[5] |= 0x08; // 3PC: copies between disks
        }
        return data;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** A page of vital product data, or null if there is none of this number. */
    static byte @Nullable [] page(int page, DiskTraits traits, Nexus nexus, boolean portGroups, boolean copies) {
        return switch (page) {
            case 0x00 ->
                page(
                        0,
                        0x00,
                        copies
                                ? new byte[] {
                                    0x00, (byte) 0x80, (byte) 0x83, (byte) 0x8F, (byte) 0xB0, (byte) 0xB1, (byte) 0xB2
                                }
                                : new byte[] {0x00, (byte) 0x80, (byte) 0x83, (byte) 0xB0, (byte) 0xB1, (byte) 0xB2});
            case 0x8F -> copies ? TokenCommands.page() : null;
            case 0x80 -> page(0, 0x80, ascii(serial(traits)));
            case 0x83 -> page(0, 0x83, identification(traits, nexus, portGroups));
            case 0xB0 -> page(0, 0xB0, blockLimits(traits));
            case 0xB1 -> characteristics();
            case 0xB2 -> page(0, 0xB2, provisioning(traits));
            default -> null;
        };
    }

    static byte[] page(int deviceType, int page, byte[] body) {
        ByteBuffer out = ByteBuffer.allocate(4 + body.length);
        out.put((byte) deviceType)
                .put((byte) page)
                .putShort((short) body.length)
                .put(body);
        return out.array();
    }

    static String serial(DiskTraits traits) {
        return traits.identity().toString().replace("-", "");
    }

    /** Designators: a T10 name with the whole identity, a locally assigned NAA, the port and its group. */
    static byte[] identification(DiskTraits traits, Nexus nexus, boolean portGroups) {
        byte[] name = ascii(VENDOR + serial(traits));
        ByteBuffer out = ByteBuffer.allocate(4 + name.length + 12 + 8 + (portGroups ? 8 : 0));
        designator(out, 2, 0, 1, name);
        long naa = traits.identity().getMostSignificantBits()
                ^ Long.rotateLeft(traits.identity().getLeastSignificantBits(), 17);
        designator(
                out,
                1,
                0,
                3,
                ByteBuffer.allocate(8)
                        .putLong(0, (naa & (-1L >>> 4)) | 3L << 60)
                        .array());
        designator(
                out,
                1,
                1,
                4,
                ByteBuffer.allocate(4).putInt(0, nexus.port().relativeId()).array());
        if (portGroups) {
            designator(
                    out,
                    1,
                    1,
                    5,
                    ByteBuffer.allocate(4).putInt(0, nexus.port().group()).array());
        }
        return out.array();
    }

    private static void designator(ByteBuffer out, int codeSet, int association, int type, byte[] value) {
        out.put((byte) codeSet)
                .put((byte) (association << 4 | type))
                .put((byte) 0)
                .put((byte) value.length)
                .put(value);
    }

    private static byte[] blockLimits(DiskTraits traits) {
        int mostZeroed = (int) (MOST_ZEROED_BYTES / traits.sectorBytes());
        ByteBuffer out = ByteBuffer.allocate(60);
        out.put(0, (byte) 1); // WRITE SAME needs a number of blocks
        out.put(1, (byte) MOST_COMPARED_BLOCKS);
        out.putShort(2, (short) (traits.physicalSectorBytes() / traits.sectorBytes()));
        if (traits.releaseBytes() > 0) {
            out.putInt(16, mostZeroed);
            out.putInt(20, MOST_UNMAP_DESCRIPTORS);
            out.putInt(24, (int) (traits.releaseBytes() / traits.sectorBytes()));
            out.putInt(28, 0x8000_0000); // alignment 0 is valid
        }
        out.putLong(32, mostZeroed);
        return out.array();
    }

    private static byte[] characteristics() {
        byte[] body = new byte[60];
        body[1] = 1; // does not rotate
        return page(0, 0xB1, body);
    }

    private static byte[] provisioning(DiskTraits traits) {
        boolean thin = traits.releaseBytes() > 0;
        // LBPU: UNMAP; LBPWS: WRITE SAME(16); LBPRZ: reads as zeroes. Type 2 is thin, 1 would be "resources reserved".
        return new byte[] {0, (byte) (thin ? 0x80 | 0x40 | 0x04 : 0), (byte) (thin ? 2 : 0), 0};
    }
}
