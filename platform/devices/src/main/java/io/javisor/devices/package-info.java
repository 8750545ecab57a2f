/**
 * The devices that every PC guest expects before it has found its real bus: two serial ports, the CMOS clock, the registers
 * behind ACPI power-off, reset and the power button, a PCI configuration port that keeps Linux calm, and the generation ID
 * that tells a guest that it was restored.
 *
 * <p>Data enters through register accesses ({@link io.javisor.partition.bus.IoDevice}, on vCPU threads, at once from several)
 * and through the host's verbs ({@code Serial16550.send}, {@code PowerButton.press}; any thread). It leaves through ports
 * given at construction: an {@link io.javisor.partition.InterruptLine}, a {@link io.javisor.partition.PowerPort}, a
 * {@link io.javisor.devices.ByteSink}. No device makes a thread or touches the host. Each has one lock, held for
 * nanoseconds and never while it waits, so a vCPU is never stalled by a host thread.
 *
 * <p>The guest is hostile: every register takes every value at any time, in any size. What the guest can queue is bounded by
 * the hardware it imitates. {@link io.javisor.devices.LegacyPorts} has all addresses and interrupt numbers.
 */
@NullMarked
package io.javisor.devices;

import org.jspecify.annotations.NullMarked;
