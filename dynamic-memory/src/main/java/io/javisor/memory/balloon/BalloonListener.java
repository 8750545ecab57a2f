package io.javisor.memory.balloon;

import io.javisor.memory.protocol.DmVersion;
import io.javisor.memory.protocol.GuestReport;
import io.javisor.partition.HypervisorException;

/** Hears what happens to a guest's memory, on the channel's reactor; must not block. Sizes are in bytes. */
public interface BalloonListener {
    /** The guest's driver is there. */
    void ready(DmVersion version, GuestReport.Capabilities capabilities);

    /** The guest's driver has gone. */
    void gone();

    /** A second has passed, or something has changed. */
    void status(BalloonStatus now);

    /** The guest has given memory up, maybe less than it was asked for. */
    void ballooned(long asked, long got);

    /** The guest has some of it back. */
    void unballooned(long bytes);

    /** The guest was offered new memory, and took so much of it; none ever again if {@code last}. */
    void hotAdded(int node, long offered, long taken, boolean last);

    /** The guest does not answer a request. */
    void overdue(String request);

    /** The guest takes new memory and does not use it: it needs {@code memhp_default_state=online}. */
    void notOnline(long bytes);

    /** The guest used memory that it had given up; it has been taken again. */
    void strayed(long bytes);

    /** The host refused memory, or to take it back. */
    void refused(HypervisorException why);
}
