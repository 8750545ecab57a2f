/**
 * Extensions of a switch, one for each of the three places: a capture that Wireshark and tcpdump read, a firewall that knows
 * connections, and a load balancer.
 */
@NullMarked
package io.javisor.networking.extension;

import org.jspecify.annotations.NullMarked;
