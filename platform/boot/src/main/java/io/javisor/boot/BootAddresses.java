package io.javisor.boot;

/**
 * Where the fixed things of power-on lie, as guest-physical addresses. Whatever is below 0x9F000 belongs to the guest again
 * once its kernel has read it. What is small shares pages, of which each that is written costs the host one for every machine.
 *
 * <pre>
 *   0x00500  GDT
 *   0x06000  stack, one page
 *   0x07000  zero page (boot_params), one page
 *   0x09000  identity page tables: PML4, PDPT, up to four page directories
 *   0x20000  command line, and behind it setup_data: random seed, further e820 entries
 *   0x9F000  end of what the e820 map calls usable below 1 MiB
 *   0xE0000  reserved: VM generation ID
 *   0xE0040  reserved: ACPI tables, if they fit; else at the end of memory below 3 GiB
 *   0xF0000  reserved: RSDP, SMBIOS entry point and structures (where kexec-tools and Linux scan for them), unless they fit
 *   0xFF000  reserved: here
 *   0xFFFF0  reserved: reset vector, with real-mode code that writes the reset register
 * </pre>
 */
public final class BootAddresses {
    /** The four descriptors of the GDT. */
    public static final long GDT = 0x500;

    /** Where the boot stack begins, growing down. */
    public static final long STACK_TOP = 0x7000;

    /** The zero page ({@code struct boot_params}). */
    public static final long ZERO_PAGE = 0x7000;

    /** Identity page tables for what there is in the first 4 GiB: room of six pages. */
    public static final long PAGE_TABLES = 0x9000;

    /** The command line, with its NUL; behind it, at a multiple of 8, the list of {@code struct setup_data}. */
    public static final long COMMAND_LINE = 0x20000;

    /** Most bytes of a command line, with its NUL. */
    public static final int COMMAND_LINE_AREA = 0x10000;

    /** End of usable memory below 1 MiB: the kernel takes the rest for a BIOS (arch/x86/kernel/ebda.c). */
    public static final long LOW_END = 0x9F000;

    /** Begin of the area that the e820 map calls reserved. */
    public static final long BIOS_START = 0xE0000;

    /** The VM generation ID, 16 bytes. They are never written here. */
    public static final long GENERATION_ID = 0xE0000;

    /** ACPI tables. */
    public static final long ACPI_TABLES = 0xE0040;

    /** RSDP and SMBIOS, where they are long. */
    public static final long BIOS_TABLES = 0xF0000;

    /** RSDP and SMBIOS where they fit into the page of the reset vector. */
    public static final long SHORT_BIOS_TABLES = 0xFF000;

    /** From there: the root system description pointer. */
    public static final long RSDP = 0;

    /** From there: the SMBIOS entry point. */
    public static final long SMBIOS = 0x40;

    /** From there: the SMBIOS structures. */
    public static final long SMBIOS_STRUCTURES = 0x60;

    /** Where a processor in real mode begins after a reset (F000:FFF0). */
    public static final long RESET_VECTOR = 0xFFFF0;

    /** End of the reserved area. */
    public static final long BIOS_END = 0x100000;

    private BootAddresses() {}
}
