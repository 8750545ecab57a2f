package io.javisor.vmbus;

import java.util.UUID;

/** Decides whether a guest's request for a socket is met. */
@FunctionalInterface
public interface SocketConnector {
    /**
     * The guest wants to connect. Called on the bus's reactor; must not block. To accept, offer the socket's device on the bus.
     *
     * @param guestEndpoint the guest's address
     * @param hostService whom it wants
     * @return whether it was accepted
     */
    boolean requested(UUID guestEndpoint, UUID hostService);
}
