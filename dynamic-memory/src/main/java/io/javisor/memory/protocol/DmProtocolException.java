package io.javisor.memory.protocol;

import io.javisor.partition.HypervisorException;

/** The guest's dynamic memory driver said what makes no sense: its channel is closed, and nothing else. */
public final class DmProtocolException extends HypervisorException {
    private static final long serialVersionUID = 1L;

    /** @param message what it said, with the values */
    public DmProtocolException(String message) {
        super("dynamic-memory-protocol", "dynamic memory: " + message, null);
    }
}
