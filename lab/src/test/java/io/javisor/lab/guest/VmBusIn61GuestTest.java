package io.javisor.lab.guest;

import io.javisor.lab.junit.LabTest;
import org.junit.jupiter.api.Tag;

/** The bus in Debian's stock 6.1. */
@Tag("long")
@LabTest(guests = "6.1-cloud", timeout = 600)
class VmBusIn61GuestTest extends VmBusGuest {
    VmBusIn61GuestTest() {
        super("6.1-cloud");
    }
}
