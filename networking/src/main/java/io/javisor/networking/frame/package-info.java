/**
 * Ethernet frames as they travel between adapters, switches and uplinks: private copies, parsed once, with what hardware
 * would do later noted beside the bytes.
 *
 * <pre>
 * guest ─▶ Frame (copied, parsed) ─▶ switch ─▶ guest that offloads:  as it is, large or with an open checksum
 *                                          └▶ wire:                  Segments, then Checksums
 * </pre>
 *
 * <p>A frame carries its VLAN tag beside the bytes, never in them, and is reused: whoever is given one copies what must
 * outlast the call.
 */
@NullMarked
package io.javisor.networking.frame;

import org.jspecify.annotations.NullMarked;
