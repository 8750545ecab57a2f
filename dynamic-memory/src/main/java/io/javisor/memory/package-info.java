/**
 * Memory that follows the guest's need. A machine says what it may have ({@link io.javisor.memory.DynamicMemory}); while it runs,
 * {@link io.javisor.memory.MachineMemory} tells how it fares and lets its limits be changed; a
 * {@link io.javisor.memory.MemoryPool} divides the host's memory among its machines, once a second.
 *
 * <pre>
 *   MemoryPool ── round ──▶ balancer.Balancer ── target ──▶ MachineMemory ──▶ balloon.DynamicMemoryDevice ──▶ guest
 *       ▲                                                        ▲                        │
 *       └── HostMemory: MemAvailable, pressure                   └──── status, events ────┘
 * </pre>
 *
 * <p>What the guest says of its need enters in {@code balloon}; it can move memory between this machine's minimum and maximum,
 * and no further.
 */
@NullMarked
package io.javisor.memory;

import org.jspecify.annotations.NullMarked;
