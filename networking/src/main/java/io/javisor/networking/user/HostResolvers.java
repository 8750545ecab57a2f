package io.javisor.networking.user;

import io.javisor.networking.vswitch.IpPrefix;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The name servers that the host itself asks (resolv.conf(5)). */
final class HostResolvers {
    private static final Path FILE = Path.of("/etc/resolv.conf");
    private static final int DNS = 53;

    private HostResolvers() {}

    /** Those with literal addresses, in order; empty if the host has none. */
    static List<InetSocketAddress> read() {
        var found = new ArrayList<InetSocketAddress>();
        try {
            for (String line : Files.readAllLines(FILE)) {
                String[] words = line.trim().split("\\s+", -1);
                if (words.length >= 2 && words[0].equals("nameserver")) {
                    try {
                        IpPrefix.parse(words[1]); // a literal, so that nothing is looked up
                        found.add(new InetSocketAddress(InetAddress.ofLiteral(words[1]), DNS));
                    } catch (IllegalArgumentException e) {
                        // a scoped address, or none
                    }
                }
            }
        } catch (IOException e) {
            return List.of();
        }
        return List.copyOf(found);
    }
}
