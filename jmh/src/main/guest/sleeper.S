/*
 * A guest that sleeps: 64-bit mode, at 0x100000, the first GiB mapped, segments as Linux is entered with (0x10 and 0x18). It prints
 * a dot on the first serial port, waits for its interrupts, and sends each byte that comes back.
 */
#define IDT 0x101000
#define STACK 0x103000
#define VECTOR 0x24 /* interrupt 4 of the controllers, which begin at 0x20 */
#define PORT 0x3f8
#define KERNEL_CS 0x10

.macro output port, value
    movb $\value, %al
    outb %al, $\port
.endm

.code64
.globl _start
_start:
    cli
    movl $STACK, %esp
    lgdt table_of_segments
    movl $interrupt, %eax
    movl $(IDT + VECTOR * 16), %edi
    movw %ax, (%rdi)
    movw $KERNEL_CS, 2(%rdi)
    movw $0x8e00, 4(%rdi) /* present, an interrupt gate */
    shrl $16, %eax
    movw %ax, 6(%rdi)
    movq $0, 8(%rdi)
    lidt table_of_interrupts
    output 0x20, 0x11 /* both 8259A: edges, four words follow; where vectors begin, who is whose, 8086 */
    output 0x21, 0x20
    output 0x21, 0x04
    output 0x21, 0x01
    output 0x21, 0xef /* all but 4 masked */
    output 0xa0, 0x11
    output 0xa1, 0x28
    output 0xa1, 0x02
    output 0xa1, 0x01
    output 0xa1, 0xff
    movl $(PORT + 1), %edx /* interrupt when data has come */
    movb $1, %al
    outb %al, %dx
    movl $(PORT + 4), %edx /* DTR, RTS, OUT2, which lets interrupts out */
    movb $0x0b, %al
    outb %al, %dx
    movl $PORT, %edx
    movb $'.', %al
    outb %al, %dx
sleep:
    sti
    hlt
    jmp sleep

interrupt:
    movl $PORT, %edx
    inb %dx, %al
    outb %al, %dx
    output 0x20, 0x20 /* end of interrupt */
    iretq

.balign 8
segments:
    .quad 0, 0
    .quad 0x00af9b000000ffff /* 64-bit code */
    .quad 0x00cf93000000ffff /* data */
table_of_segments:
    .word 31
    .quad segments
table_of_interrupts:
    .word (VECTOR + 1) * 16 - 1
    .quad IDT
