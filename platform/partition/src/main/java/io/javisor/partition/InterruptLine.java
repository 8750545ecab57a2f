package io.javisor.partition;

/** A wire into the guest's interrupt controller. Safe from any thread, never blocks. */
@FunctionalInterface
public interface InterruptLine {
    /** Drives the wire; setting what it already has is harmless. */
    void set(boolean asserted);
}
