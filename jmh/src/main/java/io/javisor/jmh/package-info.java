/**
 * Benchmarks, each beside a program in C that does the same.
 *
 * <p>No absolute time is a result here: machines differ, and a shared one differs from itself from minute to minute. What counts
 * is the ratio of a benchmark to its <em>peer</em>, a C program ({@code src/main/c}) that runs in turns with it: after each of
 * JMH's iterations the peer runs for as long, and the two make a pair. {@link io.javisor.jmh.PeerProfiler} does that inside the
 * JVM that JMH forks; {@link io.javisor.jmh.Compare} collects the pairs, and says how far the ratio can be trusted.
 *
 * <p>{@code jmh/compare} builds both sides and writes {@code docs/benchmarks.md}. {@code java -jar target/benchmarks.jar} is
 * plain JMH, without C.
 */
@NullMarked
package io.javisor.jmh;

import org.jspecify.annotations.NullMarked;
