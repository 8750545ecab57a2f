package io.javisor.memory.balloon;

import io.javisor.memory.protocol.GuestReport;
import io.javisor.memory.protocol.PageRange;
import java.util.List;

/** What a {@link BalloonSession} does and says. Called by it, on its thread, in the middle of its work. */
interface SessionListener {
    /** Sends a message, in order, when there is room. */
    void send(byte[] message);

    /** The guest is ready to be asked. */
    void ready(GuestReport.Capabilities capabilities);

    /** The guest told how it fares. */
    void reported(GuestReport.Status status);

    /** The guest gave these up; the books know already. */
    void gaveUp(List<PageRange> ranges);

    /** The guest has answered a balloon request to the end, with so many pages. */
    void balloonEnded(long asked, long got);

    /** The guest has taken back what it was given. */
    void unballoonEnded(long pages);

    /** The guest has answered a hot add: it took so many of the pages, from the first on. */
    void hotAddEnded(PageRange asked, long got, boolean never);

    /** The guest has not answered a request in time. It may still do so. */
    void overdue(String request);
}
