package io.javisor.api;

import io.javisor.memory.MemoryPool;

/** The pool of all machines that name none: what the host can spare. Made when the first such machine is. */
final class HostPool {
    // Deliberately shared by the process: machines that did not know of each other could not share a host's memory.
    private static final MemoryPool SHARED = MemoryPool.builder().build();

    private HostPool() {}

    static MemoryPool shared() {
        return SHARED;
    }
}
