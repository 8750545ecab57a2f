package io.javisor.partition.acpi;

import java.util.HashSet;
import java.util.List;

/**
 * A generic event device ({@code _HID} ACPI0013, ACPI 6.5 section 5.6.9) with one interrupt and an event register of one byte
 * at an I/O port, in which each bit is an event; reading it clears it and releases the interrupt. Its {@code _EVT} method
 * reads the register once and, for each bit that is set, notifies the event's device:
 *
 * <pre>
 * OperationRegion (EVTS, SystemIO, port, 1)    Field (EVTS, ByteAcc, NoLock, WriteAsZeros) { EVTR, 8 }
 * Method (_EVT, 1, Serialized) { Local0 = EVTR   If (Local0 &amp; (1 &lt;&lt; bit)) { Notify (target, code) } … }
 * </pre>
 *
 * @param name in the namespace
 * @param uniqueId {@code _UID}
 * @param port of the event register
 * @param interrupt the device's only one
 * @param events what the bits mean
 */
public record AcpiEventDevice(String name, int uniqueId, int port, AcpiResource.Irq interrupt, List<Event> events)
        implements AcpiNode {

    /** Checks names and bits. */
    public AcpiEventDevice {
        AcpiNode.checkName(name);
        if (port < 0 || port > 0xFFFF) {
            throw new IllegalArgumentException(name + ": no I/O port 0x" + Integer.toHexString(port));
        }
        events = List.copyOf(events);
        var bits = new HashSet<Integer>();
        for (Event e : events) {
            if (!bits.add(e.bit())) {
                throw new IllegalArgumentException(name + ": event bit " + e.bit() + " given twice");
            }
        }
    }

    /**
     * One event.
     *
     * @param bit in the event register, 0 to 7
     * @param target name of the device, below {@code \_SB}, that is notified
     * @param notification what it is told (section 5.6.6): 0x80 for a power button's press and a new generation
     */
    public record Event(int bit, String target, int notification) {
        /** Checks ranges. */
        public Event {
            AcpiNode.checkName(target);
            if (bit < 0 || bit > 7 || notification < 0 || notification > 0xFF) {
                throw new IllegalArgumentException(target + ": event bit " + bit + " is not in 0..7 or notification "
                        + notification + " in 0..255");
            }
        }
    }
}
