package io.javisor.kvm.partition;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Threshold;

/**
 * A recorded event: an exit that kept its vCPU out of the guest for long. A vCPU's thread has one and uses it again. Only for
 * recordings that ask for it: each exit costs them two looks at the clock.
 */
@Name(SlowExit.NAME)
@Label("Slow Exit")
@Category("Javisor")
@Description("From the return of KVM_RUN until the vCPU can enter the guest again")
@StackTrace(false)
@Enabled(false)
@Threshold("10 ms")
final class SlowExit extends Event {
    static final String NAME = "io.javisor.SlowExit";

    @Label("Machine")
    String machine = "";

    @Label("vCPU")
    int vcpu;

    @Label("Reason")
    @Description("As in the machine's counters of exits")
    String reason = "";

    @Label("Device")
    @Description("Whose register was accessed; empty for exits that access none")
    String device = "";

    @Label("Address")
    @Description("Port or guest-physical address of the register; -1 for exits that access none")
    long address;
}
