/*
 * For guests at 0x1000 in 64-bit mode, with the first GiB mapped: segments and one interrupt gate. Before it is included, VECTOR is a
 * number; there must be a label "interrupt" in the first 64 KiB.
 */
#define STACK 0x9000

.macro write_msr number, value
    movl $\number, %ecx
    movl $\value, %eax
    xorl %edx, %edx
    wrmsr
.endm

/* Segments, the interrupt gate, a stack, and the local APIC on, in x2APIC mode. */
.macro set_up
    lgdt gdtr
    lidt idtr
    movl $STACK, %esp
    write_msr 0x1b, 0xfee00d00        /* the local APIC in x2APIC mode */
    write_msr 0x80f, 0x1ff            /* and on */
.endm

.macro tables
    .balign 16
gdt:
    .quad 0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff /* 0x10: 64-bit code, 0x18: data */
gdtr:
    .word . - gdt - 1
    .quad gdt
idtr:
    .word end_of_idt - idt - 1
    .quad idt
    .balign 16
idt:
    .fill 2 * VECTOR, 8, 0
    .word interrupt, 0x10, 0x8e00, 0 /* an interrupt gate */
    .quad 0
end_of_idt:
.endm
