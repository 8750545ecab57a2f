package io.javisor.partition.state;

import io.javisor.partition.HypervisorException;

/** Saved state that is damaged, incomplete or of a version that this code does not know. */
public final class StateException extends HypervisorException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, with the leaf's and the field's names */
    public StateException(String message) {
        super("saved-state", message, null);
    }
}
