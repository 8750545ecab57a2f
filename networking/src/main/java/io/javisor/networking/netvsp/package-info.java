/**
 * The synthetic network adapter that Hyper-V offers on the VMBus (netvsp, for the guest's netvsc), in front of a switch port.
 *
 * <pre>
 * guest's ring ─▶ AdapterChannel ─▶ RndisReader ─▶ Frame (copied, parsed) ─▶ SwitchPort
 *                     │ NVSP: versions, buffers, sub-channels ─▶ NvspSession
 *                     └ RNDIS requests ─▶ RndisControl
 * SwitchPort ─▶ NetworkAdapter (queue of channels by hash) ─▶ AdapterChannel ─▶ receive buffer, ring
 * </pre>
 *
 * <p>What the guest sends is copied out of its memory once, into a frame of the host's own, and its packet is finished at once,
 * or later if the port has a limit of bandwidth. What it receives is written into a section of its receive buffer, which is
 * used again only after the guest has completed it. Frames come from any thread; what reaches the guest's memory and rings
 * does so on the channel's reactor.
 */
@NullMarked
package io.javisor.networking.netvsp;

import org.jspecify.annotations.NullMarked;
