package io.javisor.api;

import java.util.ArrayList;
import java.util.List;

/** What a Linux guest's command line must say for dynamic memory, unless it says otherwise itself. */
final class DynamicMemoryGuest {
    /**
     * New memory is of use at once, in any zone (Debian's 6.1 would wait for somebody to bring it online), and the driver reports
     * from the start instead of after 45 s (hv_balloon.c).
     */
    private static final List<String> PARAMETERS =
            List.of("memhp_default_state=online", "hv_balloon.pressure_report_delay=0");

    private DynamicMemoryGuest() {}

    static LinuxSpec prepared(LinuxSpec linux) {
        var words = new ArrayList<String>();
        words.add(linux.commandLine());
        for (String parameter : PARAMETERS) {
            String name = parameter.substring(0, parameter.indexOf('=') + 1);
            if (!linux.commandLine().contains(name)) {
                words.add(parameter);
            }
        }
        return new LinuxSpec(
                linux.kernel(), linux.initrd(), String.join(" ", words).strip());
    }
}
