package io.javisor.kvm.partition;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Threshold;

/** A recorded event: a task that kept a reactor's thread, and so all machines that it serves, waiting. Used again and again. */
@Name(IoThreadStall.NAME)
@Label("I/O Thread Stall")
@Category("Javisor")
@Description("A task of one device held the thread that serves the devices of many machines")
@StackTrace(false)
@Threshold("20 ms")
final class IoThreadStall extends Event {
    static final String NAME = "io.javisor.IoThreadStall";

    @Label("Task")
    @Description("The class that the task belongs to")
    String task = "";

    /** A lambda's class is named after the one that it stands in, and a number. */
    static String nameOf(Runnable task) {
        String name = task.getClass().getName();
        int lambda = name.indexOf("$$Lambda");
        return lambda < 0 ? name : name.substring(0, lambda);
    }
}
