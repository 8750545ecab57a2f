package io.javisor.api.events;

import io.javisor.storage.disk.MeteredDisk;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** A recorded event: a disk took long for a request. Told at the request's end, at which another thread may be. */
@Name("io.javisor.DiskStall")
@Label("Disk Stall")
@Category("Javisor")
@Description("A request that took a disk a tenth of a second or more")
@StackTrace(false)
@SuppressWarnings("UnusedVariable") // the flight recorder reads the fields
public final class DiskStall extends Event {
    @Label("Machine")
    private final String machine;

    @Label("Drive")
    private final String drive;

    @Label("Operation")
    @Description("read, write, flush or zero")
    private final String operation;

    @Label("Time")
    @Timespan(Timespan.NANOSECONDS)
    private final long time;

    @Label("Done")
    @Description("False if the request failed")
    private final boolean done;

    /** A disk's slow request, to be committed. */
    public DiskStall(String machine, String drive, MeteredDisk.Stall stall) {
        this.machine = machine;
        this.drive = drive;
        operation = stall.operation();
        time = stall.nanos();
        done = stall.done();
    }
}
