package io.javisor.api.events;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A recorded event: a machine's state has changed. */
@Name("io.javisor.MachineState")
@Label("Machine State")
@Category("Javisor")
@StackTrace(false)
@SuppressWarnings("UnusedVariable") // the flight recorder reads the fields
public final class MachineStateChange extends Event {
    @Label("Machine")
    private final String machine;

    @Label("From")
    private final String from;

    @Label("To")
    private final String to;

    @Label("Outcome")
    @Description("How the run ended, of a machine that has stopped; else empty")
    private final String outcome;

    /** A change, to be committed. */
    public MachineStateChange(String machine, String from, String to, String outcome) {
        this.machine = machine;
        this.from = from;
        this.to = to;
        this.outcome = outcome;
    }
}
