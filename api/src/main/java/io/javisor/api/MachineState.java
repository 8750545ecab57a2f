package io.javisor.api;

/** Where a machine is in its life. */
public enum MachineState {
    /** Built, its memory reserved; no vCPU has run. */
    CREATED,
    /** Being loaded. */
    STARTING,
    /** vCPUs run. */
    RUNNING,
    /** vCPUs are held; memory and devices stay as they are. */
    PAUSED,
    /** Being written to a folder; vCPUs are held until that is done. */
    SAVING,
    /** The guest has ended, see {@link VirtualMachine#outcome()}; {@code start()} boots it anew. */
    STOPPED,
    /** Closed for good. */
    CLOSED
}
