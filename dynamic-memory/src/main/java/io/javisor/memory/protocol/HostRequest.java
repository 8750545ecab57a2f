package io.javisor.memory.protocol;

import io.javisor.vmbus.protocol.Wire;
import java.nio.ByteBuffer;
import java.util.List;

/** Messages of the host, encoded. */
public final class HostRequest {
    /** Most ranges in one message: what fits a page after 16 bytes. */
    public static final int MAX_RANGES = (GuestReport.MAX_BYTES - 16) / Long.BYTES;

    /** INFO_TYPE_MAX_PAGE_CNT. */
    private static final int MAXIMUM_PAGES = 0;

    private HostRequest() {}

    /** Takes or refuses a version. */
    public static byte[] versionResponse(int transaction, boolean accepted) {
        return Wire.bytes(message(DmType.VERSION_RESPONSE, 16, transaction).putLong(accepted ? 1 : 0));
    }

    /** Takes the guest's capabilities, or sends it away. */
    public static byte[] capabilitiesResponse(int transaction, boolean accepted) {
        return Wire.bytes(message(DmType.CAPABILITIES_RESPONSE, 16, transaction).putLong(accepted ? 1 : 0));
    }

    /** Asks for pages, 1 to 2³² − 1. */
    public static byte[] balloon(int transaction, long pages) {
        if (pages <= 0 || pages > 0xFFFF_FFFFL) {
            throw new IllegalArgumentException("balloon of " + pages + " pages");
        }
        return Wire.bytes(message(DmType.BALLOON_REQUEST, 16, transaction).putInt((int) pages));
    }

    /**
     * Gives pages back.
     *
     * @param ranges at most {@link #MAX_RANGES}
     * @param more whether further messages follow, whose last the guest answers
     */
    public static byte[] unballoon(int transaction, List<PageRange> ranges, boolean more) {
        if (ranges.size() > MAX_RANGES) {
            throw new IllegalArgumentException(ranges.size() + " ranges; " + MAX_RANGES + " fit a message");
        }
        ByteBuffer out = message(DmType.UNBALLOON_REQUEST, 16 + Long.BYTES * ranges.size(), transaction)
                .putInt(more ? 1 : 0)
                .putInt(ranges.size());
        ranges.forEach(range -> out.putLong(range.encode()));
        return Wire.bytes(out);
    }

    /**
     * Adds memory. With a region, the guest reserves all of it and uses the pages only; without, the region is what the pages
     * need, or the one that they continue.
     *
     * @param pages that the guest may use
     * @param region addresses around them, aligned as the guest asked; empty for none
     */
    public static byte[] hotAdd(int transaction, PageRange pages, PageRange region) {
        boolean withRegion = region.count() > 0;
        ByteBuffer out = message(DmType.HOT_ADD_REQUEST, withRegion ? 24 : 16, transaction)
                .putLong(pages.encode());
        if (withRegion) {
            out.putLong(region.encode());
        }
        return Wire.bytes(out);
    }

    /** Tells how many pages the guest may come to have. */
    public static byte[] maximum(int transaction, long pages) {
        return Wire.bytes(message(DmType.INFORMATION, 32, transaction)
                .putInt(0)
                .putInt(16)
                .putInt(MAXIMUM_PAGES)
                .putInt(Long.BYTES)
                .putLong(pages));
    }

    private static ByteBuffer message(int type, int bytes, int transaction) {
        return Wire.buffer(new byte[bytes])
                .putShort((short) type)
                .putShort((short) bytes)
                .putInt(transaction);
    }
}
