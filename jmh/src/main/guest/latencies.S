/*
 * A guest whose answers are timed: 64-bit mode, at 0x1000, the first GiB mapped, interrupts off; RSI says how.
 *   0  halts; each interrupt is counted
 *   1  runs in a loop; each interrupt is counted
 *   2  watches a word, and writes a port each time it has changed
 */
#define COUNTER 0xc000
#define WORD 0xc040
#define PORT 0xe0
#define VECTOR 0x60
#define X2APIC_EOI 0x80b

#include "flat.h"

.code64
.globl _start
_start:
    jmp begin

interrupt:
    incq COUNTER
    write_msr X2APIC_EOI, 0
    iretq

begin:
    movl %esi, %ebx
    set_up
    cmpl $2, %ebx
    je watch
    sti
    incq COUNTER                      /* ready */
    testl %ebx, %ebx
    jz halt
1:  jmp 1b

halt:
    hlt
    jmp halt

watch:
    xorl %ebx, %ebx
    incq COUNTER
1:  cmpq %rbx, WORD
    je 1b
    movq WORD, %rbx
    outb %al, $PORT
    jmp 1b

    tables
