package io.javisor.partition;

/** A guest-physical range that is not wholly inside the guest's memory. A device answers it as its protocol says. */
public final class GuestAddressException extends HypervisorException {
    private static final long serialVersionUID = 1L;

    private final long gpa;
    private final long length;

    /**
     * @param gpa first guest-physical address, as the guest gave it
     * @param length bytes asked for
     */
    public GuestAddressException(long gpa, long length) {
        super(
                "guest-address",
                "guest-physical range 0x" + Long.toHexString(gpa) + " + 0x" + Long.toHexString(length)
                        + " is not inside one region of the guest's memory",
                null);
        this.gpa = gpa;
        this.length = length;
    }

    /** First guest-physical address of the refused range. */
    public long gpa() {
        return gpa;
    }

    /** Length of the refused range, in bytes. */
    public long length() {
        return length;
    }
}
