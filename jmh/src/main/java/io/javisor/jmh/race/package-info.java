/**
 * Races of a VMBus ring between its two ends, on two processors: what each end writes, the other sees in the order that the
 * ring's rules need, and no signal is lost. {@code jmh/races} runs them with jcstress, which tries each many millions of times,
 * compiled in several ways.
 */
@NullMarked
package io.javisor.jmh.race;

import org.jspecify.annotations.NullMarked;
