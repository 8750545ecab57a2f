package io.javisor.numa;

/**
 * Where one vCPU sits among the guest's processors. Each number counts from 0 within the one before it.
 *
 * @param socket the package
 * @param die within the socket
 * @param group the cores of the die that belong to one NUMA node and so share a last-level cache; always 0 unless nodes
 *     divide dies
 * @param core within the group
 * @param thread within the core
 */
public record VcpuPosition(int socket, int die, int group, int core, int thread) {}
