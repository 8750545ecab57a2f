package io.javisor.vmbus.ring;

import io.javisor.partition.HypervisorException;

/** The peer wrote into its ring what can't be. The channel is closed; everything else goes on. */
public final class RingCorruptException extends HypervisorException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, with the values */
    public RingCorruptException(String message) {
        super("vmbus-ring", message, null);
    }
}
