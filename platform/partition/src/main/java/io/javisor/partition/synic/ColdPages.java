package io.javisor.partition.synic;

/** Takes guest memory whose contents the guest does not need: free pages, as its own allocator sees them. */
@FunctionalInterface
public interface ColdPages {
    /**
     * The guest does not need what is there; it reads zeroes or what was there until it writes again. May take milliseconds, on
     * the thread of the vCPU that told so.
     *
     * @param gpa guest-physical address, in the guest's memory
     * @param length bytes, all in the guest's memory
     */
    void discard(long gpa, long length);
}
