package io.javisor.vmbus.protocol;

import io.javisor.partition.HypervisorException;

/** A control message that is too short, of a type that its sender may not send, or contradicts itself. */
public final class MalformedMessageException extends HypervisorException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, with the values */
    public MalformedMessageException(String message) {
        super("vmbus-message", message, null);
    }
}
