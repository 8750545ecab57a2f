/**
 * What the rooms of a machine share: its guest-physical memory, the plan of its address space, its signals to and from
 * vCPUs, and its errors. Data enters through {@link io.javisor.partition.GuestMemory} (which the KVM backend fills with
 * mappings) and leaves through the signal ports ({@link io.javisor.partition.Interrupt},
 * {@link io.javisor.partition.InterruptLine}); nothing here touches the host.
 */
@NullMarked
package io.javisor.partition;

import org.jspecify.annotations.NullMarked;
