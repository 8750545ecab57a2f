/**
 * Virtual NUMA: what shape a guest has, and where it lies on its host.
 *
 * <p>{@link io.javisor.numa.NumaTopology} is the guest's side: nodes with vCPUs and memory, the distances between them, and
 * the sockets, dies, cores and threads that the vCPUs make up. It is a value: a builder or a command line makes one, a check
 * finds everything that is wrong with it at once, and the boot room and the KVM backend turn it into ACPI tables and CPUID
 * leaves. {@link io.javisor.numa.CpuSet} is the vocabulary shared with the host's side.
 *
 * <p>Data enters as builder calls and as text that a user typed; it leaves as immutable values. Nothing in this package
 * touches the host.
 */
@NullMarked
package io.javisor.numa;

import org.jspecify.annotations.NullMarked;
