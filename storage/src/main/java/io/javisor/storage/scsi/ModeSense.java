package io.javisor.storage.scsi;

import io.javisor.storage.disk.DiskTraits;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;

/** MODE SENSE of a disk (SPC-4 sections 6.11 and 7.5, SBC-3 section 6.5). Nothing can be changed. */
final class ModeSense {
    private static final int CACHING = 0x08;
    private static final int CONTROL = 0x0A;
    private static final int ALL = 0x3F;
    private static final int CHANGEABLE = 1;
    private static final int SAVED = 3;
    private static final int WRITE_PROTECT = 0x80;
    private static final int FORCE_UNIT_ACCESS = 0x10;

    private ModeSense() {}

    static long six(ScsiCommand command, DiskTraits traits, long size) {
        byte[] pages = pages(command);
        byte[] descriptor = command.bit(1, 3) ? new byte[0] : shortDescriptor(traits, size);
        ByteBuffer out = ByteBuffer.allocate(4 + descriptor.length + pages.length);
        out.put((byte) (out.capacity() - 1)).put((byte) 0).put(flags(traits)).put((byte) descriptor.length);
        return command.answer(out.put(descriptor).put(pages).array(), command.u8(4));
    }

    static long ten(ScsiCommand command, DiskTraits traits, long size) {
        byte[] pages = pages(command);
        boolean isLong = command.bit(1, 4);
        byte[] descriptor =
                command.bit(1, 3) ? new byte[0] : isLong ? longDescriptor(traits, size) : shortDescriptor(traits, size);
        ByteBuffer out = ByteBuffer.allocate(8 + descriptor.length + pages.length);
        out.putShort((short) (out.capacity() - 2)).put((byte) 0).put(flags(traits));
        out.put((byte) (isLong && descriptor.length > 0 ? 1 : 0)).put((byte) 0);
        out.putShort((short) descriptor.length);
        return command.answer(out.put(descriptor).put(pages).array(), command.u16(7));
    }

    private static byte flags(DiskTraits traits) {
        return (byte) (FORCE_UNIT_ACCESS | (traits.readOnly() ? WRITE_PROTECT : 0));
    }

    private static byte[] shortDescriptor(DiskTraits traits, long size) {
        long blocks = Math.min(size / traits.sectorBytes(), 0xFFFF_FFFFL);
        return ByteBuffer.allocate(8)
                .putInt((int) blocks)
                .putInt(traits.sectorBytes())
                .array();
    }

    private static byte[] longDescriptor(DiskTraits traits, long size) {
        return ByteBuffer.allocate(16)
                .putLong(size / traits.sectorBytes())
                .putInt(0)
                .putInt(traits.sectorBytes())
                .array();
    }

    private static byte[] pages(ScsiCommand command) {
        int control = command.u8(2) >> 6;
        int page = command.u8(2) & 0x3F;
        int subpage = command.u8(3);
        if (control == SAVED) {
            throw ScsiError.check(new Sense(Sense.ILLEGAL_REQUEST, 0x3900)); // saving parameters is not supported
        }
        boolean all = page == ALL && (subpage == 0 || subpage == 0xFF);
        if (!all && ((page != CACHING && page != CONTROL) || subpage != 0)) {
            throw ScsiError.check(Sense.INVALID_FIELD);
        }
        var out = new ByteArrayOutputStream();
        if (all || page == CACHING) {
            byte[] caching = new byte[20];
            caching[2] = (byte) (control == CHANGEABLE ? 0 : 0x04); // WCE: the cache is written back
            put(out, CACHING, caching);
        }
        if (all || page == CONTROL) {
            byte[] mode = new byte[12];
            mode[3] = (byte) (control == CHANGEABLE ? 0 : 0x10); // unrestricted reordering
            put(out, CONTROL, mode);
        }
        return out.toByteArray();
    }

    private static void put(ByteArrayOutputStream out, int page, byte[] bytes) {
        bytes[0] = (byte) page;
        bytes[1] = (byte) (bytes.length - 2);
        out.writeBytes(bytes);
    }
}
