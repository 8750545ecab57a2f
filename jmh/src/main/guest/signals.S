/*
 * A guest that answers signals: 64-bit mode, at 0x1000, the first GiB mapped, interrupts off; RSI says how.
 *   0  idle; each SINT2 is counted and answered by HvSignalEvent for connection 1
 *   1  idle; each SINT2 is counted
 *   2  watches a word, and calls HvSignalEvent each time it has changed
 * Numbers of MSRs and hypercalls: Hypervisor Top-Level Functional Specification, appendix A and F.
 */
#define HYPERCALL_PAGE 0xa000
#define EVENT_PAGE 0xb000
#define COUNTER 0xc000
#define WORD 0xc040

#define EVENT_FLAGS_OF_SINT2 (EVENT_PAGE + 2 * 256)
#define VECTOR 0x60
#define AUTO_EOI 0x20000
#define FAST_SIGNAL_EVENT 0x1005d
#define CONNECTION 1

#include "flat.h"

.macro signal
    movl $FAST_SIGNAL_EVENT, %ecx
    movl $CONNECTION, %edx
    movl $HYPERCALL_PAGE, %eax
    call *%rax
.endm

.code64
.globl _start
_start:
    jmp begin

interrupt:
    lock btrl $0, EVENT_FLAGS_OF_SINT2
    incq COUNTER
    testl %esi, %esi
    jnz 1f
    signal
1:  iretq

begin:
    set_up
    write_msr 0x40000000, 1           /* HV_X64_MSR_GUEST_OS_ID */
    write_msr 0x40000001, HYPERCALL_PAGE + 1
    write_msr 0x40000082, EVENT_PAGE + 1
    write_msr 0x40000092, AUTO_EOI + VECTOR
    write_msr 0x40000080, 1           /* SCONTROL */
    xorl %ebx, %ebx
    cmpl $2, %esi
    je watch
    sti
    incq COUNTER                      /* ready */
idle:
    hlt
    jmp idle

watch:
    incq COUNTER
1:  cmpq %rbx, WORD
    je 1b
    movq WORD, %rbx
    signal
    jmp 1b

    tables
