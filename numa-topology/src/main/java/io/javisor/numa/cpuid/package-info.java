/**
 * What CPUID tells a guest of its sockets, dies, cores, threads and shared caches.
 *
 * <p>{@link io.javisor.numa.cpuid.CpuidTopology} takes the leaves that the host's kernel supports and gives back those of one
 * vCPU. Pure: leaves come in as plain values and go out as plain values.
 */
@NullMarked
package io.javisor.numa.cpuid;

import org.jspecify.annotations.NullMarked;
