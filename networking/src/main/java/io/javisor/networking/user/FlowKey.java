package io.javisor.networking.user;

/**
 * Who speaks to whom.
 *
 * @param guest address
 * @param guestPort port; of an echo its identifier
 * @param remote address, as the guest knows it
 * @param remotePort port; of an echo 0
 */
record FlowKey(IpAddress guest, int guestPort, IpAddress remote, int remotePort) {
    boolean ipv6() {
        return guest.ipv6();
    }
}
