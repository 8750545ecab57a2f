package io.javisor.partition.synic;

/** A connection ID that the guest may signal with HvCallSignalEvent (0x005D), open until closed. */
public interface Doorbell extends AutoCloseable {
    /** The connection ID. */
    int connectionId();

    /**
     * Frees the connection ID at once: the guest's next signal on it gets {@link HvStatus#INVALID_CONNECTION_ID}. A callback
     * that was under way may still run once; none does if this is called on the doorbell's reactor. Idempotent.
     */
    @Override
    void close();
}
