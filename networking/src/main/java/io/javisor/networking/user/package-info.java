/**
 * A network for guests that needs no privilege on the host: a station of a switch that is gateway, DHCP server, name server and
 * address translator, and speaks to the world by sockets of this process.
 *
 * <pre>
 * switch ─▶ FrameQueue ─▶ UserNetwork's thread ─┬ ARP, DHCP, echo to the gateway: answered here
 *                                               ├ TCP ─▶ TcpFlow ─▶ SocketChannel
 *                                               └ UDP ─▶ UdpFlow ─▶ DatagramChannel
 * </pre>
 *
 * <p><b>Trust.</b> What a guest reaches is decided by address when a flow begins, after all translation: the host's loopback
 * and what else is nobody's business are out of reach unless allowed by name. Packets in fragments are dropped. Flows,
 * buffers and neighbours are bounded.
 */
@NullMarked
package io.javisor.networking.user;

import org.jspecify.annotations.NullMarked;
