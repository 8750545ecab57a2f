package io.javisor.vmbus.channel;

import io.javisor.partition.HypervisorException;

/** A device does not want its channel opened now; the guest is told so. */
public final class ChannelRefusedException extends HypervisorException {
    private static final long serialVersionUID = 1L;

    /** @param message why */
    public ChannelRefusedException(String message) {
        super("vmbus-refused", message, null);
    }
}
