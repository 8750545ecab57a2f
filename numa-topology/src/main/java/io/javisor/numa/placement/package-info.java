/**
 * Where guests lie on their host: the plan, the report, and the move.
 *
 * <p>{@link io.javisor.numa.placement.PlacementPlanner} decides, from values alone, on which host nodes a machine's nodes go;
 * {@link io.javisor.numa.placement.HostLoad} is what it knows of the host and of the machines already there.
 * {@link io.javisor.numa.placement.MachineNuma} carries a plan out on a machine's memory and threads, moves nodes while the
 * guest runs, and reports from the kernel's own files where pages and vCPUs really are, as a
 * {@link io.javisor.numa.placement.Placement}.
 */
@NullMarked
package io.javisor.numa.placement;

import org.jspecify.annotations.NullMarked;
