package io.javisor.networking.user;

/** Something that waits for a time. For the network's thread. */
interface Timed {
    /** When {@link #timedOut} is to be called, on the network's clock. */
    long deadline();

    /** The deadline has passed. */
    void timedOut();
}
