package io.javisor.partition.topology;

import io.javisor.partition.HypervisorException;

/** Memory that does not fit the guest-physical address width. Code {@code address-space}. */
public final class AddressSpaceException extends HypervisorException {
    private static final long serialVersionUID = 1L;

    AddressSpaceException(String message, String remedy) {
        super("address-space", message, remedy);
    }
}
