/**
 * ACPI tables as bytes (ACPI Specification 6.5), for a hardware-reduced machine: {@link io.javisor.boot.acpi.AcpiTables} renders
 * what the partition room's values say of vCPUs, memory, NUMA nodes and devices into RSDP, XSDT, FADT, DSDT, MADT, SRAT, SLIT
 * and HMAT. {@link io.javisor.boot.acpi.Aml} encodes the DSDT's byte code; there is no compiler at run time. Values enter,
 * bytes leave; nothing is kept.
 */
@NullMarked
package io.javisor.boot.acpi;

import org.jspecify.annotations.NullMarked;
