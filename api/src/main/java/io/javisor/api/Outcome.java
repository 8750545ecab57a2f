package io.javisor.api;

import io.javisor.partition.HypervisorException;

/** How a run of the guest ended. */
public sealed interface Outcome {

    /** The guest powered itself off (ACPI S5). */
    record PoweredOff() implements Outcome {}

    /** The guest asked for a reset and the machine's spec says to stop then. */
    record Reset() implements Outcome {}

    /**
     * The guest's kernel panicked.
     *
     * @param message what the guest said of it, from its crash report or the console's tail
     */
    record Panicked(String message) implements Outcome {}

    /**
     * A vCPU shut down after a triple fault.
     *
     * @param vcpu its number, from 0
     * @param registers its registers, as text
     */
    record TripleFault(int vcpu, String registers) implements Outcome {}

    /** The machine was stopped from outside: {@code kill()}, {@code close()}. */
    record Killed() implements Outcome {}

    /**
     * The host or KVM could not go on.
     *
     * @param error why
     */
    record Failed(HypervisorException error) implements Outcome {}
}
