package io.javisor.jmh;

/**
 * What an operation takes.
 *
 * @param elapsed nanoseconds
 * @param processor nanoseconds on a processor, of all threads of the process together
 */
record Cost(double elapsed, double processor) {}
