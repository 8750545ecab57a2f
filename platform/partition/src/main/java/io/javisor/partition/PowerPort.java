package io.javisor.partition;

/** What a device tells the machine about its power. Called on a vCPU's thread; must not block. */
public interface PowerPort {
    /** The guest powered itself off (ACPI S5). */
    void powerOff();

    /** The guest asked for a reset. */
    void reset();
}
