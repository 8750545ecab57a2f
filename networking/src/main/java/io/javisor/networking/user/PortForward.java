package io.javisor.networking.user;

/**
 * A TCP port of the host that leads into a guest.
 *
 * @param hostAddress literal IP address on which the host listens
 * @param hostPort its port; 0 for any that is free
 * @param guestPort the guest's port, 1 to 65,535
 */
public record PortForward(String hostAddress, int hostPort, int guestPort) {
    /** Checks the ranges. */
    public PortForward {
        if (hostPort < 0 || hostPort > 65_535 || guestPort < 1 || guestPort > 65_535) {
            throw new IllegalArgumentException("port forward " + hostPort + ":" + guestPort);
        }
    }

    /** On the host's loopback, so that only the host reaches the guest. */
    public static PortForward local(int hostPort, int guestPort) {
        return new PortForward("127.0.0.1", hostPort, guestPort);
    }
}
