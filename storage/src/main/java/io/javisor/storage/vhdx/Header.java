package io.javisor.storage.vhdx;

import io.javisor.storage.disk.DiskFormatException;
import io.javisor.storage.file.BackingFile;
import io.javisor.storage.file.MsGuid;
import java.nio.ByteBuffer;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One of the two headers (section 2.2.2); the valid one with the higher sequence number counts, the other is overwritten
 * next.
 *
 * <pre>
 *   0 "head"   4 checksum   8 sequence number   16 file-write GUID   32 data-write GUID   48 log GUID
 *   64 log version   66 version   68 log length   72 log offset   80 reserved … 4096
 * </pre>
 *
 * @param sequence number of the update
 * @param fileWrite changes with every session that changes the file
 * @param dataWrite changes with every session that changes the disk's contents; children name it
 * @param log names the log's live entries; {@link MsGuid#NONE} if it is empty
 * @param logLength in bytes
 * @param logOffset in bytes
 */
record Header(long sequence, UUID fileWrite, UUID dataWrite, UUID log, long logLength, long logOffset) {
    private static final int SIGNATURE = (int) Layout.signature("head");
    private static final int BYTES = Layout.PAGE;
    private static final int VERSION = 1;
    private static final int LOG_VERSION = 0;
    /** Bounds the work of a replay; Hyper-V and QEMU make logs of 1 MiB. */
    private static final long LONGEST_LOG = 256L * Layout.MIB;

    /** A header and where it stands. */
    record Placed(Header header, long offset) {
        /** Where the next one goes. */
        long otherOffset() {
            return offset == Layout.HEADER_1 ? Layout.HEADER_2 : Layout.HEADER_1;
        }
    }

    static Placed readCurrent(BackingFile file) {
        if (file.size() < Layout.BODY) {
            throw new DiskFormatException(file.name(), file.size(), "the file ends inside the header section of 1 MiB");
        }
        if (Layout.little(file.read(0, Layout.PAGE)).getLong(0) != Layout.FILE_SIGNATURE) {
            throw new DiskFormatException(file.name(), 0, "no \"vhdxfile\" signature");
        }
        Placed one = read(file, Layout.HEADER_1);
        Placed two = read(file, Layout.HEADER_2);
        Placed current;
        if (one == null || two == null) {
            current = one == null ? two : one;
        } else {
            current = Long.compareUnsigned(one.header.sequence, two.header.sequence) >= 0 ? one : two;
        }
        if (current == null) {
            throw new DiskFormatException(
                    file.name(), Layout.HEADER_1, "neither of the two headers has a signature and a checksum that fit");
        }
        Header h = current.header;
        if (!h.log.equals(MsGuid.NONE) || h.logLength != 0) {
            Layout.checkPlace(file.name(), current.offset + 68, "a log", h.logOffset, h.logLength, file.size());
            if (h.logLength > LONGEST_LOG) {
                throw new DiskFormatException(
                        file.name(),
                        current.offset + 68,
                        "a log of " + h.logLength + " bytes; " + LONGEST_LOG + " are understood");
            }
        }
        return current;
    }

    private static @Nullable Placed read(BackingFile file, long offset) {
        byte[] bytes = file.read(offset, BYTES);
        ByteBuffer in = Layout.little(bytes);
        if (in.getInt(0) != SIGNATURE || in.getInt(4) != Layout.checksum(bytes, 4)) {
            return null;
        }
        if (in.getShort(66) != VERSION) {
            throw new DiskFormatException(
                    file.name(), offset + 66, "version " + Short.toUnsignedInt(in.getShort(66)) + " instead of 1");
        }
        UUID log = MsGuid.get(in, 48);
        if (in.getShort(64) != LOG_VERSION && !log.equals(MsGuid.NONE)) {
            throw new DiskFormatException(
                    file.name(), offset + 64, "log version " + Short.toUnsignedInt(in.getShort(64)) + " instead of 0");
        }
        return new Placed(
                new Header(
                        in.getLong(8),
                        MsGuid.get(in, 16),
                        MsGuid.get(in, 32),
                        log,
                        Integer.toUnsignedLong(in.getInt(68)),
                        in.getLong(72)),
                offset);
    }

    byte[] toByteArray() {
        byte[] bytes = new byte[BYTES];
        ByteBuffer out = Layout.little(bytes);
        out.putInt(0, SIGNATURE);
        out.putLong(8, sequence);
        MsGuid.put(out, 16, fileWrite);
        MsGuid.put(out, 32, dataWrite);
        MsGuid.put(out, 48, log);
        out.putShort(64, (short) LOG_VERSION);
        out.putShort(66, (short) VERSION);
        out.putInt(68, (int) logLength);
        out.putLong(72, logOffset);
        out.putInt(4, Layout.checksum(bytes, 4));
        return bytes;
    }

    /** The next header, with another log GUID. */
    Header next(UUID newFileWrite, UUID newDataWrite, UUID newLog) {
        return new Header(sequence + 1, newFileWrite, newDataWrite, newLog, logLength, logOffset);
    }
}
