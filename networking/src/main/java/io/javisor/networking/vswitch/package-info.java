/**
 * A virtual Ethernet switch in this process. Stations plug into ports; a frame goes through the port that it enters by, the
 * switch, and the ports that it leaves by, on the thread of the station that sent it, without being copied.
 *
 * <pre>
 * station ─▶ port: VLAN ─▶ guards ─▶ access list ─▶ storm limit ─▶ bandwidth ─▶ learn
 *              └▶ capture ─▶ filter ─▶ forward (an extension, or the table of addresses)
 *                    └▶ each port: isolation ─▶ VLAN ─▶ access list ─▶ filter ─▶ capture ─▶ segments, checksum ─▶ station
 * </pre>
 *
 * <p>A switch is isolated until somebody plugs an uplink in: a private one has guests only, an internal one a program of the
 * host's too, an external one a TAP device or a user-mode network. Everything here is safe from any thread.
 */
@NullMarked
package io.javisor.networking.vswitch;

import org.jspecify.annotations.NullMarked;
