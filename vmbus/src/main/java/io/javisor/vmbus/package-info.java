/**
 * The VMBus of one machine: {@link io.javisor.vmbus.VmBus} stands between the machine's SynIC, its guest memory, a few reactors,
 * and the devices that offer themselves on it ({@link io.javisor.vmbus.channel}).
 *
 * <p>A guest's message enters by hypercall, is copied once, and is queued for the bus's reactor
 * ({@code bus.MessageQueues}), where the state machine ({@code server.VmBusServer}) turns it into actions: answers, and channels
 * to open and close. An open channel lives on one reactor, which its doorbell calls without an exit to userspace; its ring is
 * read in batches, its answers written back, the guest interrupted once ({@code bus.BusChannel}).
 */
@NullMarked
package io.javisor.vmbus;

import org.jspecify.annotations.NullMarked;
