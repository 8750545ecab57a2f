package io.javisor.vmbus;

/** A device's place on the bus. Safe from any thread. */
public interface DeviceOffer extends AutoCloseable {
    /** Takes the offer back: the guest loses the device, open channels close. Idempotent; does not wait. */
    @Override
    void close();
}
