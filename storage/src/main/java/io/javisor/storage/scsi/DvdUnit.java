package io.javisor.storage.scsi;

import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskException;
import io.javisor.storage.disk.DiskTraits;
import java.nio.ByteBuffer;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** A DVD-ROM drive (MMC-6) with an image of 2,048-byte sectors in it, or none. Images are the caller's to close. */
public final class DvdUnit extends LogicalUnit {
    private static final int SECTOR = 2048;
    private static final int DVD_ROM = 0x10; // profile number, MMC-6 section 5.3.4
    private static final Sense MEDIUM_CHANGED = new Sense(Sense.UNIT_ATTENTION, 0x2800);
    private static final Sense REMOVAL_PREVENTED = new Sense(Sense.ILLEGAL_REQUEST, 0x5302);
    private static final int EVENT_NEW_MEDIUM = 2;
    private static final int EVENT_REMOVED = 3;

    private final AtomicReference<@Nullable Disk> medium = new AtomicReference<>();
    private final DiskTraits identity;
    private final AtomicReference<Integer> event = new AtomicReference<>(0);

    /**
     * @param identity of the drive
     * @param image to begin with, or null
     */
    public DvdUnit(UUID identity, @Nullable Disk image) {
        super();
        this.identity = new DiskTraits(SECTOR, SECTOR, 0, true, identity);
        var read = Operation.Access.READ;
        var any = Operation.Access.ANY;
        support("READ(10)", 0x28, -1, "2800FFFFFFFF00FFFF07", read, false, (_, c) -> read(c, c.u32(2), c.u16(7)));
        support("READ(12)", 0xA8, -1, "A800FFFFFFFFFFFFFFFF0007", read, false, (_, c) -> read(c, c.u32(2), c.u32(6)));
        support("READ CAPACITY(10)", 0x25, -1, "25000000000000000007", any, false, (_, c) -> readCapacity(c));
        support("READ TOC/PMA/ATIP", 0x43, -1, "43020F000000FFFFFF07", any, false, (_, c) -> readToc(c));
        support("GET CONFIGURATION", 0x46, -1, "4603FFFF000000FFFF07", any, true, (_, c) -> configuration(c));
        support("GET EVENT STATUS NOTIFICATION", 0x4A, -1, "4A010000FF0000FFFF07", any, true, (_, c) -> eventStatus(c));
        support("READ DISC INFORMATION", 0x51, -1, "51000000000000FFFF07", any, false, (_, c) -> discInformation(c));
        support("START STOP UNIT", 0x1B, -1, "1B0100F30307", any, false, this::startStop);
        support("PREVENT ALLOW MEDIUM REMOVAL", 0x1E, -1, "1E0000000307", any, false, (n, c) -> {
            n.preventRemoval((c.u8(4) & 1) != 0);
            return 0;
        });
        support("MODE SENSE(6)", 0x1A, -1, "1A08FFFFFF07", any, false, (_, c) -> modeSense(c, c.u8(4), 4));
        support("MODE SENSE(10)", 0x5A, -1, "5A08FFFF000000FFFF07", any, false, (_, c) -> modeSense(c, c.u16(7), 8));
        if (image != null) {
            medium.set(checked(image));
        }
    }

    private static Disk checked(Disk image) {
        if (image.traits().sectorBytes() != SECTOR) {
            throw new DiskException(
                    DiskException.Kind.UNSUPPORTED,
                    "a DVD has sectors of 2048 bytes, " + image + " of "
                            + image.traits().sectorBytes(),
                    "open the image with DiskOptions.withSectorBytes(2048)");
        }
        return image;
    }

    /**
     * Puts an image in, or takes it out with null, as a person would who presses the button with a pin: without asking.
     *
     * @return the image that was in before, or null
     */
    public @Nullable Disk change(@Nullable Disk image) {
        Disk before = medium.getAndSet(image == null ? null : checked(image));
        event.set(image == null ? EVENT_REMOVED : EVENT_NEW_MEDIUM);
        if (image != null) {
            raise(MEDIUM_CHANGED, null);
        }
        return before;
    }

    /** The drive's, whatever image is in it. */
    @Override
    public UUID identity() {
        return identity.identity();
    }

    /** The image that is in, or null. */
    public @Nullable Disk medium() {
        return medium.get();
    }

    private Disk requireMedium() {
        Disk in = medium.get();
        if (in == null) {
            throw ScsiError.check(Sense.NO_MEDIUM);
        }
        return in;
    }

    @Override
    long testUnitReady(Nexus nexus, ScsiCommand command) {
        requireMedium();
        return 0;
    }

    @Override
    byte[] standardInquiry(Nexus nexus) {
        return DiskPages.inquiry(5, "Virtual DVD-ROM ", true, false);
    }

    @Override
    byte @Nullable [] vitalProductData(Nexus nexus, int page) {
        return switch (page) {
            case 0x00 -> DiskPages.page(5, 0x00, new byte[] {0x00, (byte) 0x80, (byte) 0x83});
            case 0x80 ->
                DiskPages.page(
                        5, 0x80, DiskPages.serial(identity).getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            case 0x83 -> DiskPages.page(5, 0x83, DiskPages.identification(identity, nexus, false));
            default -> null;
        };
    }

    private long read(ScsiCommand command, long lba, long blocks) {
        Disk in = requireMedium();
        if (lba > in.size() / SECTOR || blocks > in.size() / SECTOR - lba) {
            throw ScsiError.check(Sense.OUT_OF_RANGE);
        }
        if (blocks * SECTOR > command.in().byteSize()) {
            throw ScsiError.check(Sense.INVALID_FIELD);
        }
        in.read(lba * SECTOR, command.in().slice(0, blocks * SECTOR));
        return blocks * SECTOR;
    }

    private long readCapacity(ScsiCommand command) {
        long last = Math.max(0, requireMedium().size() / SECTOR - 1);
        return command.answer(
                ByteBuffer.allocate(8)
                        .putInt((int) Math.min(last, 0xFFFF_FFFFL))
                        .putInt(SECTOR)
                        .array(),
                8);
    }

    /** One track and the lead-out (MMC-6 section 6.25). */
    private long readToc(ScsiCommand command) {
        long end = requireMedium().size() / SECTOR;
        boolean minutes = command.bit(1, 1);
        int format = command.u8(2) & 0xF;
        if ((format == 0 && command.u8(6) > 1 && command.u8(6) != 0xAA) || format > 1) {
            throw ScsiError.check(Sense.INVALID_FIELD);
        }
        boolean leadOutOnly = format == 0 && command.u8(6) == 0xAA;
        ByteBuffer out = ByteBuffer.allocate(format == 1 || leadOutOnly ? 12 : 20);
        out.putShort((short) (out.capacity() - 2)).put((byte) 1).put((byte) 1);
        if (!leadOutOnly) {
            track(out, 1, 0, minutes);
        }
        if (format == 0) {
            track(out, 0xAA, end, minutes);
        }
        return command.answer(out.array(), command.u16(7));
    }

    private static void track(ByteBuffer out, int number, long at, boolean minutes) {
        out.put((byte) 0).put((byte) 0x14).put((byte) number).put((byte) 0); // a data track
        if (minutes) {
            long frames = at + 150;
            out.put((byte) 0).put((byte) Math.min(255, frames / 75 / 60)).put((byte) (frames / 75 % 60));
            out.put((byte) (frames % 75));
        } else {
            out.putInt((int) at);
        }
    }

    /** The profile list, core and removable-medium features (MMC-6 section 5.3). */
    private long configuration(ScsiCommand command) {
        boolean in = medium.get() != null;
        int from = command.u16(2);
        int which = command.u8(1) & 3; // 0 all, 1 current, 2 only the one
        ByteBuffer out = ByteBuffer.allocate(64);
        out.putShort(6, (short) (in ? DVD_ROM : 0)).position(8);
        if (wants(0, from, which)) {
            out.putShort((short) 0).put((byte) 3).put((byte) 4);
            out.putShort((short) DVD_ROM).put((byte) (in ? 1 : 0)).put((byte) 0);
        }
        if (wants(1, from, which)) { // core: physical interface SCSI
            out.putShort((short) 1).put((byte) 0x0B).put((byte) 8).putInt(1).putInt(0x0100_0000);
        }
        if (wants(3, from, which)) { // removable medium: a tray that can be locked and opened
            out.putShort((short) 3).put((byte) 3).put((byte) 4).putInt(0x2900_0000);
        }
        if (wants(0x1F, from, which) && (in || which != 1)) { // DVD read
            out.putShort((short) 0x1F).put((byte) (in ? 1 : 0)).put((byte) 0);
        }
        byte[] answer = java.util.Arrays.copyOf(out.array(), out.position());
        ByteBuffer.wrap(answer).putInt(answer.length - 4);
        return command.answer(answer, command.u16(7));
    }

    private static boolean wants(int feature, int from, int which) {
        return which == 2 ? feature == from : feature >= from;
    }

    /** Media events, polled (MMC-6 section 6.6). */
    private long eventStatus(ScsiCommand command) {
        if (!command.bit(1, 0)) {
            throw ScsiError.check(Sense.INVALID_FIELD); // asynchronous operation
        }
        boolean media = (command.u8(4) & 0x10) != 0;
        ByteBuffer out = ByteBuffer.allocate(media ? 8 : 4);
        out.putShort((short) (out.capacity() - 2));
        out.put((byte) (media ? 4 : 0x80)); // class, or no event available
        out.put((byte) 0x10);
        if (media) {
            int happened = command.u16(7) >= 8 ? event.getAndSet(0) : 0;
            out.put((byte) happened).put((byte) (medium.get() != null ? 2 : 0));
        }
        return command.answer(out.array(), command.u16(7));
    }

    private long discInformation(ScsiCommand command) {
        requireMedium();
        byte[] out = new byte[34];
        out[1] = 32;
        out[2] = 0x0E; // complete, last session complete
        out[3] = 1;
        out[4] = 1;
        out[5] = 1;
        out[6] = 1;
        return command.answer(out, command.u16(7));
    }

    private long startStop(Nexus nexus, ScsiCommand command) {
        boolean loadOrEject = (command.u8(4) & 2) != 0;
        boolean start = (command.u8(4) & 1) != 0;
        if (loadOrEject && !start) {
            for (Nexus each : nexuses()) {
                if (each.preventsRemoval()) {
                    throw ScsiError.check(REMOVAL_PREVENTED);
                }
            }
            change(null);
        }
        return 0;
    }

    private long modeSense(ScsiCommand command, int allocation, int header) {
        int page = command.u8(2) & 0x3F;
        if ((page != 0x2A && page != 0x3F) || command.u8(2) >> 6 == 3) {
            throw ScsiError.check(Sense.INVALID_FIELD);
        }
        byte[] out = new byte[header + 22];
        if (header == 4) {
            out[0] = (byte) (out.length - 1);
        } else {
            out[1] = (byte) (out.length - 2);
        }
        out[header] = 0x2A; // capabilities (MMC-6 annex E): reads DVD-ROM, a tray with lock and eject
        out[header + 1] = 20;
        out[header + 2] = 0x08;
        out[header + 6] = 0x29;
        return command.answer(out, allocation);
    }
}
