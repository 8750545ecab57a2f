/**
 * What a guest finds in its memory at power-on. {@link io.javisor.boot.KernelImage} reads a hostile kernel file and checks all
 * of its header; {@link io.javisor.boot.LinuxBoot} puts kernel, initramfs, command line, boot parameters, ACPI tables and
 * SMBIOS structures into guest memory by the 64-bit boot protocol (Linux, Documentation/arch/x86/boot.rst), and says in a
 * {@link io.javisor.boot.BootEntry} with which registers vCPU 0 begins.
 *
 * <p>Data enters as files and as values of the partition room (address-space plan, vCPU topology, ACPI devices) and leaves
 * through {@link io.javisor.partition.GuestMemory}. Nothing here is kept of a machine, so one {@code LinuxBoot} starts any
 * number of them, from any thread.
 */
@NullMarked
package io.javisor.boot;

import org.jspecify.annotations.NullMarked;
