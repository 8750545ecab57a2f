/* A VM with one vCPU, made of the same requests to KVM as the library makes. */
#ifndef KVM_H
#define KVM_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

struct guest {
    int kvm, vm, cpu, memory_fd;
    char *memory;
    size_t memory_bytes;
    struct kvm_run *run;
    size_t run_bytes;
};

/* Bytes of code in real mode at 0x1000, in 32 KiB of memory; no interrupt controller. */
void open_bare(struct guest *g, const uint8_t *code, size_t bytes);

/* The VM and vCPU of a whole machine: interrupt controllers, CPUID, MSRs; this memory at address 0, of memory_fd unless that is -1. */
void open_machine(struct guest *g, char *memory, size_t bytes);

/* 64-bit mode with the first GiB mapped, by tables from 0x2000 on, at an entry point. */
void enter_long_mode(struct guest *g, uint64_t entry, uint64_t rsi);

/* Reads a file that lies beside this program to 0x1000, at most a page of it. */
void load_beside(struct guest *g, const char *file);

void close_guest(struct guest *g);

int call(int fd, unsigned long request, void *argument, const char *name);

#endif
