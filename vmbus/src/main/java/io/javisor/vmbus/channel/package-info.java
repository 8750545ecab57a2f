/**
 * What a virtualization service provider (VSP: a disk controller, a network adapter, a balloon) implements and sees. A
 * {@link io.javisor.vmbus.channel.ChannelDevice} offers itself; when the guest opens a channel it is given a
 * {@link io.javisor.vmbus.channel.Channel} and answers with a {@link io.javisor.vmbus.channel.ChannelHandler}, which then
 * receives {@linkplain io.javisor.vmbus.channel.Packet packets}: copied out of the ring and checked, guest pages resolved.
 *
 * <pre>
 * device.opened(channel) ─▶ handler
 *     handler.received(packet) …          each packet is finished once: complete(..) or release()
 *     handler.batchReceived()             now submit what was collected
 *     handler.writable()                  after send(..) returned false
 *     handler.gpadlReleased(id)
 * handler.closed()                        no more packets; finish those still held
 * </pre>
 *
 * <p><b>Threads.</b> A channel belongs to one reactor: device and handler are called there only, and must not block. Packets
 * may be finished from any thread, and guest buffers used from any thread until then; all other calls belong on the reactor.
 *
 * <p><b>Back-pressure.</b> A device says how many packets it will hold; beyond that the ring is not read, and the guest sees
 * it fill. Completions always find a place: one is kept for every packet held. Other packets to the guest are the device's to
 * keep if {@link io.javisor.vmbus.channel.Channel#send} returns false.
 *
 * <p><b>Trust.</b> Everything in a packet and in a guest buffer is the guest's word. A device that finds nonsense calls
 * {@link io.javisor.vmbus.channel.Channel#fail}, or throws; both close this channel and nothing else.
 */
@NullMarked
package io.javisor.vmbus.channel;

import org.jspecify.annotations.NullMarked;
