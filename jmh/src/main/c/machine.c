/* Life of a VM: made and run to its first exit, saved, restored and run to its first exit. */
#define _GNU_SOURCE
#include "kvm.h"
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <nmmintrin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CALL(fd, request, argument) call(fd, request, (void *)(uintptr_t)(argument), #request)
#define MEMORY (64ul << 20)
#define BLOCK (2ul << 20)
#define FILLED (16ul << 20) /* bytes of memory, from 4 MiB on, that are not zero */
#define FILLED_AT (4ul << 20)
#define ENTRY 0x100000

static const uint8_t say_dot[] = {0x66, 0xba, 0xf8, 0x03, 0xb0, '.', 0xee, 0xeb, 0xfd}; /* mov dx, 0x3f8; mov al, '.'; out dx, al */

static void until_exit(struct guest *g)
{
    if (ioctl(g->cpu, KVM_RUN, 0) < 0)
        die("KVM_RUN");
    if (g->run->exit_reason != KVM_EXIT_IO)
        die("an exit of another kind");
}

static void *until_exit_thread(void *g)
{
    until_exit(g);
    return NULL;
}

/* On a thread of its own, as a machine's vCPU runs. */
static void until_exit_elsewhere(struct guest *g)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, until_exit_thread, g) || pthread_join(thread, NULL))
        die("a thread");
}

static void *nothing(const char *name)
{
    (void)name;
    return NULL;
}

static long create_typed(void *state)
{
    (void)state;
    static const uint8_t code[] = {0xe6, 0x10, 0xeb, 0xfc};
    struct guest g = {0};
    open_bare(&g, code, sizeof code);
    until_exit(&g);
    close_guest(&g);
    return 1;
}

/* What was saved of a vCPU and its VM. */
struct saved {
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_xsave xsave;
    struct kvm_xcrs xcrs;
    struct kvm_lapic_state lapic;
    struct kvm_mp_state mp;
    struct kvm_vcpu_events events;
    struct kvm_debugregs debug;
    struct kvm_irqchip chips[3];
    struct kvm_clock_data clock;
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entries[256];
    } msrs;
};

static void read_msrs(struct guest *g, struct saved *s)
{
    struct {
        struct kvm_msr_list head;
        uint32_t indices[256];
    } list = {.head.nmsrs = 256};
    CALL(g->kvm, KVM_GET_MSR_INDEX_LIST, &list);
    s->msrs.head.nmsrs = 0;
    for (uint32_t from = 0; from < list.head.nmsrs;) {
        struct {
            struct kvm_msrs head;
            struct kvm_msr_entry entries[256];
        } some = {.head.nmsrs = list.head.nmsrs - from};
        for (uint32_t i = from; i < list.head.nmsrs; i++)
            some.entries[i - from].index = list.head.indices[i];
        uint32_t got = (uint32_t)CALL(g->cpu, KVM_GET_MSRS, &some);
        memcpy(s->msrs.entries + s->msrs.head.nmsrs, some.entries, got * sizeof *some.entries);
        s->msrs.head.nmsrs += got;
        from += got + 1; /* the one that KVM did not read is left out */
    }
}

static void read_state(struct guest *g, struct saved *s)
{
    CALL(g->cpu, KVM_GET_REGS, &s->regs);
    CALL(g->cpu, KVM_GET_SREGS, &s->sregs);
    CALL(g->cpu, KVM_GET_XSAVE, &s->xsave);
    CALL(g->cpu, KVM_GET_XCRS, &s->xcrs);
    CALL(g->cpu, KVM_GET_LAPIC, &s->lapic);
    CALL(g->cpu, KVM_GET_MP_STATE, &s->mp);
    CALL(g->cpu, KVM_GET_VCPU_EVENTS, &s->events);
    CALL(g->cpu, KVM_GET_DEBUGREGS, &s->debug);
    for (uint32_t i = 0; i < 3; i++) {
        s->chips[i].chip_id = i;
        CALL(g->vm, KVM_GET_IRQCHIP, &s->chips[i]);
    }
    CALL(g->vm, KVM_GET_CLOCK, &s->clock);
    read_msrs(g, s);
}

static void write_state(struct guest *g, struct saved *s)
{
    s->clock.flags = 0;
    CALL(g->vm, KVM_SET_CLOCK, &s->clock);
    CALL(g->cpu, KVM_SET_SREGS, &s->sregs);
    CALL(g->cpu, KVM_SET_XCRS, &s->xcrs);
    CALL(g->cpu, KVM_SET_XSAVE, &s->xsave);
    CALL(g->cpu, KVM_SET_REGS, &s->regs);
    /* Only what differs from a new vCPU's is written. */
    struct saved *fresh = malloc(sizeof *fresh);
    read_msrs(g, fresh);
    for (uint32_t i = 0; i < s->msrs.head.nmsrs; i++) {
        if (s->msrs.entries[i].index == fresh->msrs.entries[i].index
            && s->msrs.entries[i].data == fresh->msrs.entries[i].data)
            continue;
        struct {
            struct kvm_msrs head;
            struct kvm_msr_entry entry;
        } one = {.head.nmsrs = 1, .entry = s->msrs.entries[i]};
        CALL(g->cpu, KVM_SET_MSRS, &one);
    }
    free(fresh);
    CALL(g->cpu, KVM_SET_LAPIC, &s->lapic);
    CALL(g->cpu, KVM_SET_MP_STATE, &s->mp);
    CALL(g->cpu, KVM_SET_VCPU_EVENTS, &s->events);
    CALL(g->cpu, KVM_SET_DEBUGREGS, &s->debug);
    for (uint32_t i = 0; i < 3; i++)
        CALL(g->vm, KVM_SET_IRQCHIP, &s->chips[i]);
}

struct life {
    struct guest guest; /* stands at its first exit */
    char folder[64], state[96], memory[96];
    struct saved saved;
};

static void open_full(struct guest *g)
{
    g->memory_fd = memfd_create("guest-ram", MFD_CLOEXEC);
    if (g->memory_fd < 0 || ftruncate(g->memory_fd, MEMORY))
        die("memfd");
    char *memory = map_aligned(MEMORY, g->memory_fd, MAP_SHARED);
    madvise(memory, MEMORY, MADV_HUGEPAGE);
    madvise(memory, MEMORY, MADV_DONTDUMP);
    open_machine(g, memory, MEMORY);
}

static void load(struct guest *g, const char *kernel)
{
    memcpy(g->memory + ENTRY, say_dot, sizeof say_dot);
    memcpy(g->memory + FILLED_AT, kernel, FILLED);
    enter_long_mode(g, ENTRY, 0);
}

static char *some_bytes(void)
{
    char *bytes = malloc(FILLED);
    for (size_t i = 0; i < FILLED; i += 4)
        *(uint32_t *)(bytes + i) = (uint32_t)(i * 2654435761u | 1);
    return bytes;
}

static void *kernel(const char *name)
{
    (void)name;
    return some_bytes();
}

static long create_machine(void *state)
{
    struct guest g = {0};
    open_full(&g);
    load(&g, state);
    until_exit_elsewhere(&g);
    close_guest(&g);
    return 1;
}

static uint32_t crc32c(const char *bytes, size_t length)
{
    uint64_t crc = 0xffffffff;
    for (size_t i = 0; i < length; i += 8)
        crc = _mm_crc32_u64(crc, *(const uint64_t *)(bytes + i));
    return (uint32_t)~crc;
}

static void write_all(int fd, const char *bytes, size_t length, off_t at)
{
    while (length) {
        ssize_t n = pwrite(fd, bytes, length, at);
        if (n < 0)
            die("pwrite");
        bytes += n;
        at += n;
        length -= (size_t)n;
    }
}

/* Pages that are not zero to a sparse file, and a checksum of each block of 2 MiB that has some. */
static void save_memory(struct guest *g, const char *path)
{
    static const char zero[4096];
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    if (fd < 0 || ftruncate(fd, (off_t)g->memory_bytes))
        die(path);
    for (off_t at = lseek(g->memory_fd, 0, SEEK_DATA); at >= 0; at = lseek(g->memory_fd, at, SEEK_DATA)) {
        char *block = g->memory + at / (off_t)BLOCK * (off_t)BLOCK;
        int any = 0;
        for (size_t page = 0; page < BLOCK;) {
            size_t end = page;
            while (end < BLOCK && memcmp(block + end, zero, sizeof zero))
                end += sizeof zero;
            if (end > page) {
                write_all(fd, block + page, end - page, block + page - g->memory);
                any = 1;
            }
            page = end + sizeof zero;
        }
        if (any)
            sink += crc32c(block, BLOCK);
        at = block - g->memory + (off_t)BLOCK;
    }
    if (fsync(fd) || close(fd))
        die(path);
}

static long save(void *state)
{
    struct life *l = state;
    read_state(&l->guest, &l->saved);
    if (mkdir(l->folder, 0700))
        die(l->folder);
    save_memory(&l->guest, l->memory);
    int fd = open(l->state, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    if (fd < 0)
        die(l->state);
    write_all(fd, (char *)&l->saved, sizeof l->saved, 0);
    if (fsync(fd) || close(fd))
        die(l->state);
    return 1;
}

static void forget(struct life *l)
{
    unlink(l->state);
    unlink(l->memory);
    rmdir(l->folder);
}

static long save_and_delete(void *state)
{
    save(state);
    forget(state);
    return 1;
}

static void *to_save(const char *name)
{
    (void)name;
    struct life *l = calloc(1, sizeof *l);
    const char *where = getenv("PEER_FOLDER");
    snprintf(l->folder, sizeof l->folder, "%.30s/peer-%d", where ? where : "/dev/shm", getpid());
    snprintf(l->state, sizeof l->state, "%s/state", l->folder);
    snprintf(l->memory, sizeof l->memory, "%s/memory", l->folder);
    open_full(&l->guest);
    char *bytes = some_bytes();
    load(&l->guest, bytes);
    free(bytes);
    until_exit(&l->guest);
    /* KVM finishes the access that the exit asked for at the next entry. */
    l->guest.run->immediate_exit = 1;
    if (ioctl(l->guest.cpu, KVM_RUN, 0) == 0 || errno != EINTR)
        die("KVM_RUN to finish");
    l->guest.run->immediate_exit = 0;
    return l;
}

static struct life *restoring;

static void forget_restored(void)
{
    forget(restoring);
}

static void *to_restore(const char *name)
{
    restoring = to_save(name);
    save(restoring);
    close_guest(&restoring->guest);
    atexit(forget_restored);
    return restoring;
}

/* The file is mapped privately: pages are read when the guest touches them. */
static long restore(void *state)
{
    struct life *l = state;
    struct guest g = {0};
    g.memory_fd = open(l->memory, O_RDONLY | O_CLOEXEC);
    if (g.memory_fd < 0)
        die(l->memory);
    open_machine(&g, map_aligned(MEMORY, g.memory_fd, MAP_PRIVATE), MEMORY);
    write_state(&g, &l->saved);
    until_exit_elsewhere(&g);
    close_guest(&g);
    return 1;
}

const struct peer machine_peers[] = {
    {"Life.createTyped", nothing, create_typed},
    {"Life.createMachine", kernel, create_machine},
    {"Life.save", to_save, save_and_delete},
    {"Life.restore", to_restore, restore},
    {0},
};
