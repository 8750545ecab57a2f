package io.javisor.api.events;

import java.util.function.Supplier;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A recorded event: a part of what it takes to make and start a machine, with its duration. */
@Name("io.javisor.StartPhase")
@Label("Start Phase")
@Category("Javisor")
@Description("A part of making or starting a machine")
@StackTrace(false)
@SuppressWarnings("UnusedVariable") // the flight recorder reads the fields
public final class StartPhase extends Event {
    /** The parts, in their order. */
    public enum Part {
        /** Kernel and initial RAM disk found, fetched or built, and looked at; the processors arranged. */
        FILES,
        /** Memory reserved. */
        MEMORY,
        /** VM, interrupt controllers and vCPUs made in KVM, memory given to them. */
        PARTITION,
        /** Devices made and plugged in. */
        DEVICES,
        /** Kernel, initial RAM disk and tables written into the guest's memory. */
        LOAD,
        /** The vCPUs' threads started. */
        RUN
    }

    @Label("Machine")
    private final String machine;

    @Label("Part")
    private final String part;

    /** A part that begins now; commit it at its end. */
    public StartPhase(String machine, Part part) {
        this.machine = machine;
        this.part = part.name();
        begin();
    }

    /** Does a part. */
    public static <T> T timed(String machine, Part part, Supplier<T> work) {
        var phase = new StartPhase(machine, part);
        T done = work.get();
        phase.commit();
        return done;
    }
}
