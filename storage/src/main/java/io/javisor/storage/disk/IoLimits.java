package io.javisor.storage.disk;

/**
 * How much a guest may ask of one of its disks, and how much it should get. Requests beyond the limits wait; none is refused.
 *
 * <p>As with Hyper-V's storage quality of service, requests are counted in units of 8 KiB: a request of up to 8 KiB is one, a
 * larger one is as many as it has 8 KiB, rounded up. Both limits hold at once. What was not used within the last tenth of a
 * second is not given later.
 *
 * <p>The minimum holds nobody else back: a disk that is asked all the time and does less says so, in its statistics and by an event
 * of its machine.
 *
 * @param iops requests a second, 1 to 10,000,000; 0 for no limit
 * @param bandwidth bytes a second, from 4,096; 0 for no limit
 * @param minimumIops requests a second that the disk should do at least, not more than {@code iops}; 0 for none
 */
public record IoLimits(long iops, long bandwidth, long minimumIops) {
    /** No limits. */
    public static final IoLimits NONE = new IoLimits(0, 0);

    /** The size in bytes up to which a request counts as one. */
    public static final int UNIT_BYTES = 8192;

    /** The highest limit of requests a second. */
    public static final long MOST_IOPS = 10_000_000;

    /** The lowest limit of bytes a second. */
    public static final long LEAST_BANDWIDTH = 4096;

    /** Checks the ranges. */
    public IoLimits {
        if (iops < 0 || iops > MOST_IOPS) {
            throw new IllegalArgumentException("iops is " + iops + "; 1 to " + MOST_IOPS + ", or 0 for no limit");
        }
        if (minimumIops < 0 || minimumIops > (iops == 0 ? MOST_IOPS : iops)) {
            throw new IllegalArgumentException("minimum iops is " + minimumIops + "; 1 to "
                    + (iops == 0 ? MOST_IOPS + "" : "the limit of " + iops) + ", or 0 for none");
        }
        if (bandwidth != 0 && bandwidth < LEAST_BANDWIDTH) {
            throw new IllegalArgumentException("bandwidth is " + bandwidth + " bytes a second; at least "
                    + LEAST_BANDWIDTH + ", or 0 for no limit");
        }
    }

    /** Limits without a minimum. */
    public IoLimits(long iops, long bandwidth) {
        this(iops, bandwidth, 0);
    }

    /** As how many requests one of so many bytes counts. */
    public static long units(long bytes) {
        return Math.max(1, Math.ceilDiv(bytes, UNIT_BYTES));
    }

    /** Whether nothing has to wait. */
    public boolean isNone() {
        return iops == 0 && bandwidth == 0;
    }
}
