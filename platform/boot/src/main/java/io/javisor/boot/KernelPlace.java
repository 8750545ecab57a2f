package io.javisor.boot;

/**
 * Where a kernel will be.
 *
 * @param gpa first byte
 * @param length bytes that it needs from there on until it has set itself up
 * @param entryPoint its 64-bit entry
 */
record KernelPlace(long gpa, long length, long entryPoint) {}
