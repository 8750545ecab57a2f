#define _GNU_SOURCE
#include "kvm.h"

#include "peer.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define BARE_BYTES 0x8000
#define CODE 0x1000
#define TABLES 0x2000

int call(int fd, unsigned long request, void *argument, const char *name)
{
    int result = ioctl(fd, request, argument);
    if (result < 0)
        die(name);
    return result;
}

#define CALL(fd, request, argument) call(fd, request, (void *)(uintptr_t)(argument), #request)

static void open_vm(struct guest *g)
{
    g->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (g->kvm < 0)
        die("/dev/kvm");
    CALL(g->kvm, KVM_GET_API_VERSION, 0);
    g->vm = CALL(g->kvm, KVM_CREATE_VM, 0);
}

static void open_cpu(struct guest *g)
{
    g->cpu = CALL(g->vm, KVM_CREATE_VCPU, 0);
    g->run_bytes = (size_t)CALL(g->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    g->run = mmap(NULL, g->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, g->cpu, 0);
    if (g->run == MAP_FAILED)
        die("mmap of the vCPU");
}

static void give_memory(struct guest *g, char *memory, size_t bytes)
{
    struct kvm_userspace_memory_region slot = {
        .guest_phys_addr = 0, .memory_size = bytes, .userspace_addr = (uintptr_t)memory};
    CALL(g->vm, KVM_SET_USER_MEMORY_REGION, &slot);
    g->memory = memory;
    g->memory_bytes = bytes;
}

void open_bare(struct guest *g, const uint8_t *code, size_t bytes)
{
    open_vm(g);
    g->memory_fd = memfd_create("guest-ram", MFD_CLOEXEC);
    if (g->memory_fd < 0 || ftruncate(g->memory_fd, BARE_BYTES))
        die("memfd");
    give_memory(g, map_aligned(BARE_BYTES, g->memory_fd, MAP_SHARED), BARE_BYTES);
    memcpy(g->memory + CODE, code, bytes);
    open_cpu(g);
    struct kvm_sregs sregs;
    CALL(g->cpu, KVM_GET_SREGS, &sregs);
    sregs.cs.base = sregs.cs.selector = 0;
    CALL(g->cpu, KVM_SET_SREGS, &sregs);
    struct kvm_regs regs = {.rip = CODE, .rflags = 2};
    CALL(g->cpu, KVM_SET_REGS, &regs);
}

static void set_cpuid(struct guest *g)
{
    static struct kvm_cpuid2 *leaves;
    if (!leaves) {
        leaves = calloc(1, sizeof *leaves + 512 * sizeof *leaves->entries);
        leaves->nent = 512;
    } else {
        leaves->nent = 512;
    }
    CALL(g->kvm, KVM_GET_SUPPORTED_CPUID, leaves);
    CALL(g->cpu, KVM_SET_CPUID2, leaves);
}

/* Reads of one MSR, and accesses to those that KVM does not know, come here, as a machine wants it. */
static void filter_msrs(struct guest *g)
{
    static uint8_t none[8];
    struct kvm_msr_filter filter = {
        .flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
        .ranges[0] = {.flags = KVM_MSR_FILTER_READ, .nmsrs = 1, .base = 0xc0010015, .bitmap = none}};
    CALL(g->vm, KVM_X86_SET_MSR_FILTER, &filter);
    struct kvm_enable_cap cap = {
        .cap = KVM_CAP_X86_USER_SPACE_MSR,
        .args[0] = KVM_MSR_EXIT_REASON_INVAL | KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_FILTER};
    CALL(g->vm, KVM_ENABLE_CAP, &cap);
}

void open_machine(struct guest *g, char *memory, size_t bytes)
{
    open_vm(g);
    filter_msrs(g); /* and memory, first: after the interrupt controllers KVM waits for a whole grace period */
    give_memory(g, memory, bytes);
    CALL(g->vm, KVM_SET_TSS_ADDR, 0xfffbd000);
    uint64_t map = 0xfffbc000;
    CALL(g->vm, KVM_SET_IDENTITY_MAP_ADDR, &map);
    CALL(g->vm, KVM_CREATE_IRQCHIP, 0);
    open_cpu(g);
    set_cpuid(g);
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entries[2];
    } msrs = {.head.nmsrs = 2, .entries = {{.index = 0x2ff, .data = 0x806}, {.index = 0x1a0, .data = 1}}};
    CALL(g->cpu, KVM_SET_MSRS, &msrs);
}

void enter_long_mode(struct guest *g, uint64_t entry, uint64_t rsi)
{
    uint64_t *tables = (uint64_t *)(g->memory + TABLES);
    tables[0] = TABLES + 0x1003;
    tables[512] = TABLES + 0x2003;
    for (uint64_t i = 0; i < 512; i++)
        tables[1024 + i] = i << 21 | 0x83;
    struct kvm_sregs sregs;
    CALL(g->cpu, KVM_GET_SREGS, &sregs);
    struct kvm_segment code = {
        .limit = 0xffffffff, .selector = 0x10, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1};
    struct kvm_segment data = {
        .limit = 0xffffffff, .selector = 0x18, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};
    sregs.cs = code;
    sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
    sregs.idt.base = sregs.idt.limit = 0;
    sregs.gdt.base = 0x5000;
    sregs.gdt.limit = 31;
    sregs.cr0 = 0x80050033;
    sregs.cr3 = TABLES;
    sregs.cr4 = 0x20;
    sregs.efer = 0x500;
    CALL(g->cpu, KVM_SET_SREGS, &sregs);
    struct kvm_regs regs = {.rip = entry, .rsi = rsi, .rflags = 2};
    CALL(g->cpu, KVM_SET_REGS, &regs);
}

void load_beside(struct guest *g, const char *file)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 256);
    if (n < 0)
        die("/proc/self/exe");
    path[n] = 0;
    strcpy(strrchr(path, '/') + 1, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, g->memory + CODE, TABLES - CODE) <= 0)
        die(path);
    close(fd);
}

void close_guest(struct guest *g)
{
    munmap(g->run, g->run_bytes);
    close(g->cpu);
    if (g->memory_fd >= 0) {
        munmap(g->memory, g->memory_bytes);
        close(g->memory_fd);
    }
    close(g->vm);
    close(g->kvm);
}
