package io.javisor.numa.host;

import io.javisor.numa.CpuSet;

/**
 * One online logical processor.
 *
 * @param id the kernel's number
 * @param node the host node that it belongs to
 * @param socket the package's number, or −1 if the kernel doesn't say
 * @param die the die's number in its socket, or −1 if the kernel doesn't say
 * @param core the core's number in its socket, or −1 if the kernel doesn't say
 * @param threads the online CPUs of the same core, itself included
 * @param cache the online CPUs that share its last-level cache, itself included
 */
public record HostCpu(int id, int node, int socket, int die, int core, CpuSet threads, CpuSet cache) {}
