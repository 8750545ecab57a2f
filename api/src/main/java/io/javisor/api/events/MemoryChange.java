package io.javisor.api.events;

import io.javisor.memory.MemoryEvent;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A recorded event: something happened to a machine's memory. */
@Name("io.javisor.MemoryChange")
@Label("Memory Change")
@Category("Javisor")
@StackTrace(false)
@SuppressWarnings("UnusedVariable") // the flight recorder reads the fields
public final class MemoryChange extends Event {
    @Label("Machine")
    private final String machine;

    @Label("Kind")
    @Description("As the records of MemoryEvent are named")
    private final String kind;

    @Label("Bytes")
    @DataAmount
    @Description("That were moved, or are on disk since; 0 where no memory is moved")
    private final long bytes;

    @Label("Detail")
    private final String detail;

    /** What happened to a machine's memory, to be committed. */
    public MemoryChange(String machine, MemoryEvent event) {
        this.machine = machine;
        kind = event.getClass().getSimpleName();
        bytes = bytesOf(event);
        detail = event.toString();
    }

    private static long bytesOf(MemoryEvent event) {
        return switch (event) {
            case MemoryEvent.Ballooned e -> e.got();
            case MemoryEvent.Unballooned e -> e.bytes();
            case MemoryEvent.HotAdded e -> e.taken();
            case MemoryEvent.NotOnline e -> e.bytes();
            case MemoryEvent.Strayed e -> e.bytes();
            case MemoryEvent.Paged e -> e.bytes();
            case MemoryEvent.DriverReady _,
                    MemoryEvent.DriverGone _,
                    MemoryEvent.Overdue _,
                    MemoryEvent.Refused _,
                    MemoryEvent.StatusChanged _,
                    MemoryEvent.LimitsChanged _ -> 0;
        };
    }
}
