/**
 * The lab: a nested machine in which stock kernels prove what Javisor claims. QEMU emulates it, so it runs wherever QEMU
 * does, with or without KVM; its own kernel is Debian's generic one, whose KVM has nested virtualization to offer and
 * thereby all that real hosts have.
 *
 * <p>A {@link io.javisor.lab.Lab} is started from a {@link io.javisor.lab.LabSpec} and runs
 * {@linkplain io.javisor.lab.LabCommand commands}. Data enters and leaves through console ports, three for each command
 * and one for control, which are sockets on this side; files come in through 9p and never go out, except to folders that the specification
 * lists. The four scripts beside these classes are the lab's side: {@code init} finds the root, {@code agent} is its
 * process 1, {@code heart} keeps its processors awake, {@code session} runs one command.
 */
@NullMarked
package io.javisor.lab;

import org.jspecify.annotations.NullMarked;
