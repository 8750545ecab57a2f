/**
 * Dividing a host's memory among machines: pure and deterministic, so that a day of a thousand machines can be simulated in
 * seconds, and that what is simulated is what runs.
 *
 * <pre>
 * claims (minimum, demand, want, maximum, weight)  ─▶  BalancingPolicy   who shall have what, on each host node
 *                                                  ─▶  Balancer          how fast, and how steadily, to get there
 *                                                  ─▶  targets
 * </pre>
 *
 * <p>A {@link io.javisor.memory.balancer.BalancingPolicy} is one method; applications may bring their own. What it says is
 * clamped to each machine's minimum and maximum, and memory is given out only when it is there.
 */
@NullMarked
package io.javisor.memory.balancer;

import org.jspecify.annotations.NullMarked;
