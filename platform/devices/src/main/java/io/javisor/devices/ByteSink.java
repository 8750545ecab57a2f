package io.javisor.devices;

/**
 * Where a device's output bytes go. Called on the vCPU's thread with the device's lock held, one call at a time: it must take
 * the byte and return, without blocking and without calling the device.
 */
@FunctionalInterface
public interface ByteSink {
    /** Takes one byte. */
    void write(byte value);
}
