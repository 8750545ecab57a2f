/**
 * What stands behind the channel SPI: {@link io.javisor.vmbus.bus.BusChannel} reads and writes the rings of one open channel
 * on its reactor, {@link io.javisor.vmbus.bus.MessageQueues} carries control messages in and out within bounds. Guest bytes
 * enter as copies; the only memory of the guest that is touched is rings, and buffers that the guest has lent.
 */
@NullMarked
package io.javisor.vmbus.bus;

import org.jspecify.annotations.NullMarked;
