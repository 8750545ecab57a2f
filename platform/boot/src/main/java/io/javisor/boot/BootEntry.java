package io.javisor.boot;

/**
 * The registers with which vCPU 0 begins. Other vCPUs wait for INIT and SIPI. The processor is in 64-bit mode with what there
 * is in the first 4 GiB mapped to itself, each GiB that has memory, and the last; interrupts are off and there is no IDT. Segments
 * are flat: base 0, limit 4 GiB, the code segment with type 0xB and L set, the data segments (DS, ES, SS, FS, GS) with type 3 and
 * DB set, all present and of granularity 4 KiB.
 *
 * @param rip the kernel's 64-bit entry point
 * @param rsi address of the zero page
 * @param rsp boot stack
 * @param rflags only the bit that is always set
 * @param cr0 PE, MP, ET, NE, WP, AM, PG
 * @param cr3 address of the PML4
 * @param cr4 PAE
 * @param efer LME, LMA
 * @param gdtBase address of the GDT
 * @param gdtLimit its size in bytes, less one
 * @param codeSelector 0x10, as the boot protocol asks (__BOOT_CS)
 * @param dataSelector 0x18, as the boot protocol asks (__BOOT_DS)
 */
public record BootEntry(
        long rip,
        long rsi,
        long rsp,
        long rflags,
        long cr0,
        long cr3,
        long cr4,
        long efer,
        long gdtBase,
        int gdtLimit,
        int codeSelector,
        int dataSelector) {

    static BootEntry at(long entryPoint) {
        return new BootEntry(
                entryPoint,
                BootAddresses.ZERO_PAGE,
                BootAddresses.STACK_TOP,
                0x2,
                0x8005_0033L,
                BootAddresses.PAGE_TABLES,
                0x20,
                0x500,
                BootAddresses.GDT,
                4 * Long.BYTES - 1,
                0x10,
                0x18);
    }
}
