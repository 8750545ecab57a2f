package io.javisor.jmh;

/**
 * What a machine costs among many.
 *
 * @param start ns from its description to its guest's first output
 * @param resident KiB of this process's memory in RAM, Java's heap not counted
 * @param heap KiB of Java's heap; 0 in C
 * @param two ns from a byte to its answer, with two machines
 * @param all the same with all of them
 * @param close ns
 */
record DensityCost(double start, double resident, double heap, double two, double all, double close) {}
