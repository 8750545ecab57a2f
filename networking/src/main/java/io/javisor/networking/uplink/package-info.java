/**
 * The ways out of a switch by interfaces of the host's: a TAP interface, which leads to the host's own stack, its bridges and
 * routes; a macvtap interface or a packet socket, which lead to the network that another interface is on.
 *
 * <pre>
 * switch ─▶ HostUplink ─flow─▶ UplinkQueue ─▶ FrameDevice (TapDevice, PacketSocket) ─▶ host
 * switch ◀─ SwitchPort ◀─────── a thread each ◀────────────────────────────────────────┘
 * </pre>
 */
@NullMarked
package io.javisor.networking.uplink;

import org.jspecify.annotations.NullMarked;
