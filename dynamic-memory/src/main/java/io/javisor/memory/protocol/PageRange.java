package io.javisor.memory.protocol;

/**
 * Pages of guest-physical memory, one after the other (union dm_mem_page_range).
 *
 * @param first number of the first page: its guest-physical address / 4,096
 * @param count pages
 */
public record PageRange(long first, long count) {
    /** Bytes of a page of the protocol, whatever the host's or the guest's own page size. */
    public static final int PAGE = 4096;

    /** Most pages that one range on the wire can name. */
    public static final long MAX_COUNT = (1L << 24) - 1;

    private static final int FIRST_BITS = 40;
    private static final long MAX_FIRST = (1L << FIRST_BITS) - 1;

    /** Checks that neither is negative and that the end is a page number. */
    public PageRange {
        if (first < 0 || count < 0 || first > MAX_FIRST || count > MAX_FIRST + 1 - first) {
            throw new IllegalArgumentException("page range " + first + " + " + count);
        }
    }

    /** The pages of a range of addresses, which begins and ends on a page. */
    public static PageRange ofBytes(long gpa, long length) {
        if (((gpa | length) & (PAGE - 1)) != 0) {
            throw new IllegalArgumentException(
                    "0x" + Long.toHexString(gpa) + " + 0x" + Long.toHexString(length) + " is not in whole pages");
        }
        return new PageRange(gpa / PAGE, length / PAGE);
    }

    /** The range in a number of the wire; one that ends beyond the last page number is refused. */
    static PageRange decode(long wire) {
        return new PageRange(wire & MAX_FIRST, wire >>> FIRST_BITS);
    }

    long encode() {
        if (count > MAX_COUNT) {
            throw new IllegalArgumentException(count + " pages do not fit a range; " + MAX_COUNT + " do");
        }
        return count << FIRST_BITS | first;
    }

    /** The page after the last. */
    public long end() {
        return first + count;
    }

    /** First guest-physical address. */
    public long gpa() {
        return first * PAGE;
    }

    /** Bytes. */
    public long bytes() {
        return count * PAGE;
    }

    @Override
    public String toString() {
        return "pages 0x" + Long.toHexString(first) + " + " + count;
    }
}
