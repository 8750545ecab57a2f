package io.javisor.partition;

/** An edge into the guest: each signal is one interrupt. Safe from any thread, never blocks. */
@FunctionalInterface
public interface Interrupt {
    /** Raises the interrupt once. */
    void signal();
}
