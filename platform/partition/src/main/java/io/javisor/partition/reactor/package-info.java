/**
 * Threads that devices share: a {@link io.javisor.partition.reactor.Reactor} owns state and runs, one after the other, the
 * tasks, timers and signals that touch it. Many channels of many machines live on few reactors (about one a core), so a task
 * is short and never blocks. {@link io.javisor.partition.reactor.ThreadReactor} needs nothing but the JDK; the KVM backend has
 * one that also waits for file descriptors.
 */
@NullMarked
package io.javisor.partition.reactor;

import org.jspecify.annotations.NullMarked;
