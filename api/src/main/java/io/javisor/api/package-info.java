/**
 * What an application imports: a {@link io.javisor.api.VirtualMachine} is described by an immutable
 * {@link io.javisor.api.MachineSpec}, which is built with a fluent builder that reports every problem at once, and is then
 * created, started, talked to and closed.
 *
 * <pre>{@code
 * try (var vm = VirtualMachine.builder("first")
 *         .memory(mib(512))
 *         .linux(l -> l.debian("6.12-cloud"))
 *         .build()) {
 *     vm.start();
 *     System.out.print(vm.exec("uname", "-a").stdoutText());
 * }
 * }</pre>
 *
 * <p>Every call that waits may be made from a virtual thread. Every failure is a
 * {@link io.javisor.partition.HypervisorException}.
 */
@NullMarked
package io.javisor.api;

import org.jspecify.annotations.NullMarked;
