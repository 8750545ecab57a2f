/** ACPI descriptions as values: what a device says of itself, for the boot room to render into tables. */
@NullMarked
package io.javisor.partition.acpi;

import org.jspecify.annotations.NullMarked;
