/**
 * The shape of a machine as plain values: which vCPU has which APIC ID and node, how far nodes are apart, and where memory
 * lies in the guest-physical address space. They are made once, before the machine is created, and read by everyone who
 * must agree: CPUID and memory slots in the KVM backend, ACPI tables in the boot room, hot-add in dynamic memory. Nothing
 * here knows the host.
 */
@NullMarked
package io.javisor.partition.topology;

import org.jspecify.annotations.NullMarked;
