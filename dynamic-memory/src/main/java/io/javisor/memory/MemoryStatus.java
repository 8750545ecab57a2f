package io.javisor.memory;

/** Whether a machine has the memory that it needs, as Hyper-V says it. */
public enum MemoryStatus {
    /** Not known: the guest's driver has not reported (yet). */
    UNKNOWN,
    /** It has its demand and its buffer. */
    OK,
    /** It has its demand, and less than its buffer. */
    LOW,
    /** It needs more than it has. */
    WARNING
}
