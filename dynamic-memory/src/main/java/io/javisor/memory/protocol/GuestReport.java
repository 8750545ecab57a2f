package io.javisor.memory.protocol;

import io.javisor.vmbus.protocol.Wire;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** A message from the guest, decoded and checked for its shape. */
public sealed interface GuestReport {
    /** Most bytes of a message either way: the guest's driver has a page for it. */
    int MAX_BYTES = 4096;

    /** The number that the guest's driver counts its messages by. */
    int transaction();

    /**
     * The guest asks for a version.
     *
     * @param transaction the guest's number
     * @param version as on the wire; it need not be one that is known
     * @param lastAttempt whether the guest gives up if it is refused
     */
    record VersionRequest(int transaction, int version, boolean lastAttempt) implements GuestReport {}

    /**
     * What the guest can do.
     *
     * @param transaction the guest's number
     * @param balloon whether it gives pages up
     * @param hotAdd whether it takes new memory
     * @param hotAddAlignment of new memory in bytes: 1 MiB to 32 GiB, a power of two
     */
    record Capabilities(int transaction, boolean balloon, boolean hotAdd, long hotAddAlignment)
            implements GuestReport {}

    /**
     * How the guest's memory fares.
     *
     * @param transaction the guest's number
     * @param availablePages that it could hand out without swapping; −1 and other nonsense is the guest's to say
     * @param committedPages promised to programs, and, with Linux, those ballooned, those not online, and a floor
     */
    record Status(int transaction, long availablePages, long committedPages) implements GuestReport {}

    /**
     * Pages that the guest gives up.
     *
     * @param transaction the guest's number
     * @param ranges where they are
     * @param more whether further messages follow for the same request
     */
    record Ballooned(int transaction, List<PageRange> ranges, boolean more) implements GuestReport {
        /** Copies the list. */
        public Ballooned {
            ranges = List.copyOf(ranges);
        }

        /** Pages in all. */
        public long pages() {
            return ranges.stream().mapToLong(PageRange::count).sum();
        }
    }

    /**
     * The guest has taken back all pages of a request.
     *
     * @param transaction the guest's number
     */
    record Unballooned(int transaction) implements GuestReport {}

    /**
     * What became of new memory.
     *
     * @param transaction the guest's number
     * @param pages taken
     * @param success with pages, all or some were taken; without, none ever will be; false: none were taken for now
     */
    record HotAdded(int transaction, long pages, boolean success) implements GuestReport {}

    /**
     * An error that the guest reports (DM_ERROR), without content.
     *
     * @param transaction the guest's number
     */
    record Trouble(int transaction) implements GuestReport {}

    /**
     * Decodes a message.
     *
     * @param bytes the payload of a packet; padding at its end is ignored
     * @throws DmProtocolException if it is not a message of a guest
     */
    static GuestReport decode(byte[] bytes) {
        if (bytes.length < DmType.HEADER) {
            throw new DmProtocolException("a message of " + bytes.length + " bytes");
        }
        ByteBuffer in = Wire.buffer(bytes);
        int type = Short.toUnsignedInt(in.getShort());
        int size = Short.toUnsignedInt(in.getShort());
        int transaction = in.getInt();
        if (size < DmType.HEADER || size > bytes.length || size > MAX_BYTES) {
            throw new DmProtocolException(
                    "message of type " + type + " says it has " + size + " bytes, and comes in " + bytes.length);
        }
        in.limit(size);
        return switch (type) {
            case DmType.VERSION_REQUEST -> {
                require(in, type, 8);
                yield new VersionRequest(transaction, in.getInt(), (in.getInt() & 1) != 0);
            }
            case DmType.CAPABILITIES_REPORT -> {
                require(in, type, 24);
                long bits = in.getLong();
                yield new Capabilities(transaction, (bits & 1) != 0, (bits & 2) != 0, (1L << 20) << (bits >>> 2 & 0xF));
            }
            case DmType.STATUS_REPORT -> {
                require(in, type, 40);
                yield new Status(transaction, in.getLong(), in.getLong());
            }
            case DmType.BALLOON_RESPONSE -> ballooned(in, transaction);
            case DmType.UNBALLOON_RESPONSE -> new Unballooned(transaction);
            case DmType.HOT_ADD_RESPONSE -> {
                require(in, type, 8);
                yield new HotAdded(transaction, Integer.toUnsignedLong(in.getInt()), in.getInt() != 0);
            }
            case DmType.ERROR -> new Trouble(transaction);
            default -> throw new DmProtocolException("message of type " + type + " from the guest");
        };
    }

    private static Ballooned ballooned(ByteBuffer in, int transaction) {
        require(in, DmType.BALLOON_RESPONSE, 8);
        in.getInt();
        int word = in.getInt();
        int count = word >>> 1;
        if (count > in.remaining() / Long.BYTES) {
            throw new DmProtocolException(
                    "a balloon response names " + count + " ranges in " + in.remaining() + " bytes");
        }
        var ranges = new ArrayList<PageRange>(count);
        for (int i = 0; i < count; i++) {
            long wire = in.getLong();
            try {
                ranges.add(PageRange.decode(wire));
            } catch (IllegalArgumentException e) {
                throw new DmProtocolException("a balloon response with " + e.getMessage());
            }
        }
        return new Ballooned(transaction, ranges, (word & 1) != 0);
    }

    private static void require(ByteBuffer in, int type, int bytes) {
        if (in.remaining() < bytes) {
            throw new DmProtocolException("message of type " + type + " is cut short: " + in.remaining() + " of "
                    + bytes + " bytes after the header");
        }
    }
}
