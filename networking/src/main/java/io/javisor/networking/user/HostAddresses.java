package io.javisor.networking.user;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.nio.channels.DatagramChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/** Which addresses are the host's own, now. */
final class HostAddresses {
    private static final Path FOREIGN4 = Path.of("/proc/sys/net/ipv4/ip_nonlocal_bind");
    private static final Path FOREIGN6 = Path.of("/proc/sys/net/ipv6/ip_nonlocal_bind");

    private HostAddresses() {}

    /** Whether what is sent to an address arrives at this host. The kernel is asked: only to such addresses a socket can be bound. */
    static boolean isHost(InetAddress address) {
        try (DatagramChannel probe = DatagramChannel.open()) {
            probe.bind(new InetSocketAddress(address, 0));
            return !bindsToForeign() || NetworkInterface.getByInetAddress(address) != null;
        } catch (IOException | RuntimeException e) {
            return false; // EADDRNOTAVAIL; or there are no descriptors left, and the flow does not begin either
        }
    }

    /** Whether this host was told to let programs bind to anything, as some load balancers are. */
    private static boolean bindsToForeign() {
        return isOn(FOREIGN4) || isOn(FOREIGN6);
    }

    private static boolean isOn(Path setting) {
        try {
            return Files.readString(setting).strip().equals("1");
        } catch (IOException e) {
            return false;
        }
    }
}
