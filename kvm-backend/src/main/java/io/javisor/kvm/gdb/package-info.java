/**
 * A debugger's way into a guest: the GDB remote serial protocol (gdb's manual, appendix E), so that gdb and all that speak as it
 * does can read and write registers and memory, set breakpoints, step, and stop a guest. To gdb the vCPUs are the threads of one
 * program.
 *
 * <p>A {@link io.javisor.kvm.gdb.GdbServer} listens on a loopback port and serves one debugger at a time. What it debugs is a
 * {@link io.javisor.kvm.gdb.GdbTarget}: vCPUs that can be held and let go, and the guest's memory. Bytes from the socket become
 * packets in {@code PacketStream}, which bounds them; {@code GdbSession} answers them. Virtual addresses are those of the thread
 * that gdb has chosen, by that vCPU's page tables.
 *
 * <p>Everybody who reaches the port controls the guest, as gdb has no notion of who asks; so the port is of this host only.
 */
@NullMarked
package io.javisor.kvm.gdb;

import org.jspecify.annotations.NullMarked;
