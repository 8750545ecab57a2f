/**
 * A network for guests that needs no privilege on the host: a station of a switch that is gateway, DHCP server, name server and
 * address translator of both versions of IP, and speaks to the world by sockets of this process.
 *
 * <pre>
 * switch ─▶ NetworkLoop ─▶ Gateway ─┬ ARP, DhcpServer, NeighbourDiscovery, Dhcpv6Server, echo to the gateway: answered here
 *            one thread      ▲      ├ Flows ─▶ TcpFlow ─▶ SocketChannel        where to: Destinations, EgressPolicy
 *                            │      │        └▶ UdpFlow ─▶ DatagramChannel
 *                       Reassembly  └ Echoes ─▶ IcmpSocket
 * switch ◀─ GuestLink: Neighbours, FrameWriter, Fragments ◀─ all of these, and Forwards
 * </pre>
 *
 * <p><b>Trust.</b> What a guest reaches is decided by address when a flow begins, after all translation, and after a packet in
 * fragments is whole: the host's loopback, its other addresses, and what else is nobody's business are out of reach unless allowed
 * by name. Flows, buffers, fragments and neighbours are bounded.
 */
@NullMarked
package io.javisor.networking.user;

import org.jspecify.annotations.NullMarked;
