/** How guest accesses to ports and device memory reach their devices: {@link io.javisor.partition.bus.IoBus}. */
@NullMarked
package io.javisor.partition.bus;

import org.jspecify.annotations.NullMarked;
