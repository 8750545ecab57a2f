/**
 * Rings in guest memory: one half of a channel each. A ring is a control page and data pages; packets lie in the data, every
 * one 8-aligned, wrapped around at the end.
 *
 * <pre>
 * control page   0 in: where the writer writes next    (writer's)
 *                4 out: where the reader reads next    (reader's)
 *                8 interrupt mask                      (reader's)
 *               12 pending send size                   (writer's)
 *               64 feature bits: bit 0, the writer's peer tells when there is room
 *
 * packet         0 type:u16  header length/8:u16  length/8:u16  flags:u16  transaction:u64
 *               16 more header (ranges), payload, padding to 8
 *           length start of this packet &lt;&lt; 32, 8 bytes that "length" does not count
 * </pre>
 *
 * <p>{@link io.javisor.vmbus.ring.IncomingRing} reads, {@link io.javisor.vmbus.ring.OutgoingRing} writes; each belongs to one
 * thread, shares the ring with one peer in the guest, and keeps its own index to itself. Whatever the peer writes is read
 * once, checked, and then used; nonsense is a {@link io.javisor.vmbus.ring.RingCorruptException}. Nothing here signals: the
 * rings only say when their owner must.
 */
@NullMarked
package io.javisor.vmbus.ring;

import org.jspecify.annotations.NullMarked;
