package io.javisor.partition.bus;

/** A device's registers. Called on the thread of the vCPU that made the access; concurrent calls are possible. */
public interface IoDevice {
    /**
     * Reads a register.
     *
     * @param offset from the start of the range, in bytes
     * @param size 1, 2, 4 or 8 bytes; the access lies inside the range
     * @return the value, in the low {@code size} bytes
     */
    long read(long offset, int size);

    /**
     * Writes a register.
     *
     * @param offset from the start of the range, in bytes
     * @param size 1, 2, 4 or 8 bytes; the access lies inside the range
     * @param value in the low {@code size} bytes
     */
    void write(long offset, int size, long value);
}
