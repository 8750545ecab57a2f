package io.javisor.partition.acpi;

/**
 * A virtual machine generation counter (Microsoft's "Virtual Machine Generation ID"): {@code _HID} VMGENCTR, {@code _CID} and
 * {@code _DDN} "VM_Gen_Counter", and {@code ADDR}, a package of the low and the high 32 bits of the address of its 16 bytes.
 *
 * @param name in the namespace
 * @param uniqueId {@code _UID}
 * @param gpa guest-physical address of the ID, a multiple of 8, in memory that the guest's operating system does not use
 */
public record AcpiGenerationCounter(String name, int uniqueId, long gpa) implements AcpiNode {
    /** Checks name and address. */
    public AcpiGenerationCounter {
        AcpiNode.checkName(name);
        if (gpa < 0 || (gpa & 7) != 0) {
            throw new IllegalArgumentException(
                    name + ": address 0x" + Long.toHexString(gpa) + " is not a multiple of 8");
        }
    }
}
