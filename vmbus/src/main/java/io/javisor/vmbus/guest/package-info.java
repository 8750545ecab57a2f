/**
 * The guest's side of the bus in Java, for tests of devices: {@link io.javisor.vmbus.guest.TestGuest} has plain memory, a
 * {@link io.javisor.vmbus.guest.MemorySynIc} and a {@link io.javisor.vmbus.guest.ManualReactor}, connects as Linux does, and
 * opens channels whose rings it reads and writes as a driver (VSC) would. No VM and no thread is needed; nothing moves except
 * when the test asks, and time stands still until it is advanced.
 *
 * <pre>
 * try (TestGuest guest = new TestGuest(2, 16 &lt;&lt; 20)) {
 *     guest.bus().add(device);
 *     guest.connect(VmBusVersion.V5_3);
 *     GuestChannel channel = guest.open(device.offer(), 16, 16);
 *     channel.send(42, payload, true);
 *     GuestPacket answer = channel.receive();
 * }
 * </pre>
 */
@NullMarked
package io.javisor.vmbus.guest;

import org.jspecify.annotations.NullMarked;
