/**
 * A host full of machines without a host and without machines: demand from traces, guests that give and take memory at a limited
 * speed, and the same {@link io.javisor.memory.balancer.Balancer} that runs on real hosts. Deterministic: the same seed gives
 * the same report, to the byte. For choosing policies, and for holding the balancer to what is said of it.
 */
@NullMarked
package io.javisor.memory.simulation;

import org.jspecify.annotations.NullMarked;
