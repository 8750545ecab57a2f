/**
 * Benchmarks of pure computations that have no peer in C: run by {@code java -jar target/benchmarks.jar alone}, left out by
 * {@code jmh/compare}. Their times are those of one machine at one moment; what they are for is how cost grows.
 */
@NullMarked
package io.javisor.jmh.alone;

import org.jspecify.annotations.NullMarked;
