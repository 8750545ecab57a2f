package io.javisor.kvm.partition;

/**
 * Where the boot vCPU begins: in 64-bit mode with paging on, interrupts off, and flat segments from the guest's own table.
 *
 * @param rip first instruction
 * @param rsi what RSI holds (Linux: the zero page)
 * @param rsp stack
 * @param cr3 page tables
 * @param gdtBase descriptor table
 * @param gdtLimit its last byte
 * @param codeSelector 64-bit code segment in it
 * @param dataSelector data segment in it
 */
public record LongModeEntry(
        long rip, long rsi, long rsp, long cr3, long gdtBase, int gdtLimit, int codeSelector, int dataSelector) {}
