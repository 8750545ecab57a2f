/*
 * Many machines at once, beside Density: each with its vCPUs on threads of their own, 16 MiB, and the same guest (sleeper.S). Reads
 * lines "machines vCPUs rounds file-of-the-guest", and answers each with a line: ns to the first output and KiB of resident memory a machine, ns a wake with
 * two of them and with all, ns to close one. With no rounds each is closed before the next is made.
 */
#define _GNU_SOURCE
#include "kvm.h"
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define CALL(fd, request, argument) call(fd, request, (void *)(uintptr_t)(argument), #request)
#define MEMORY (16ul << 20)
#define ENTRY 0x100000
#define MOST_CPUS 64
#define SERIAL_LINE 4
#define STACK (128 << 10)

struct machine;

struct cpu {
    struct machine *machine;
    int fd;
    struct kvm_run *run;
    pthread_t thread;
};

struct machine {
    struct guest guest;
    int cpus;
    struct cpu cpu[MOST_CPUS];
    atomic_long written;
    long wanted; /* bytes that it will have written once it has answered */
    atomic_int given; /* the byte that waits to be read, or -1 */
    atomic_bool stopping;
};

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static long resident_kib(void)
{
    long pages, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld %ld", &pages, &resident) != 2)
        die("/proc/self/statm");
    fclose(f);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void set_line(struct machine *m, int level)
{
    struct kvm_irq_level line = {.irq = SERIAL_LINE, .level = (unsigned)level};
    CALL(m->guest.vm, KVM_IRQ_LINE, &line);
}

static void serve(struct machine *m, struct kvm_run *run)
{
    if (run->exit_reason != KVM_EXIT_IO)
        die("an exit of another kind");
    uint8_t *byte = (uint8_t *)run + run->io.data_offset;
    int data = run->io.port == 0x3f8;
    if (run->io.direction == KVM_EXIT_IO_OUT) {
        if (data)
            atomic_fetch_add(&m->written, 1);
    } else {
        *byte = data ? (uint8_t)atomic_exchange(&m->given, -1) : 0;
        if (data)
            set_line(m, 0);
    }
}

static void *run_cpu(void *of)
{
    struct cpu *c = of;
    while (!atomic_load(&c->machine->stopping)) {
        if (ioctl(c->fd, KVM_RUN, 0) == 0)
            serve(c->machine, c->run);
        else if (errno != EINTR && errno != EAGAIN)
            die("KVM_RUN");
    }
    return NULL;
}

static void nothing(int signal)
{
    (void)signal;
}

static void start(struct machine *m, int cpus, const char *code, size_t bytes)
{
    m->guest.memory_fd = memfd_create("guest-ram", MFD_CLOEXEC);
    if (m->guest.memory_fd < 0 || ftruncate(m->guest.memory_fd, MEMORY))
        die("memfd");
    open_machine(&m->guest, map_aligned(MEMORY, m->guest.memory_fd, MAP_SHARED), MEMORY);
    memcpy(m->guest.memory + ENTRY, code, bytes);
    enter_long_mode(&m->guest, ENTRY, 0);
    m->cpus = cpus;
    m->given = -1;
    m->cpu[0] = (struct cpu){.machine = m, .fd = m->guest.cpu, .run = m->guest.run};
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    for (int i = 0; i < cpus; i++) {
        struct cpu *c = &m->cpu[i];
        if (i > 0) {
            int fd = CALL(m->guest.vm, KVM_CREATE_VCPU, i);
            struct kvm_run *run = mmap(NULL, m->guest.run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            if (run == MAP_FAILED)
                die("mmap of a vCPU");
            *c = (struct cpu){.machine = m, .fd = fd, .run = run};
        }
        if (pthread_create(&c->thread, &attributes, run_cpu, c))
            die("a thread");
    }
    while (atomic_load(&m->written) < 1)
        sched_yield();
}

static void stop(struct machine *m)
{
    atomic_store(&m->stopping, true);
    for (int i = 0; i < m->cpus; i++) {
        m->cpu[i].run->immediate_exit = 1;
        pthread_kill(m->cpu[i].thread, SIGUSR1);
    }
    for (int i = 0; i < m->cpus; i++) {
        pthread_join(m->cpu[i].thread, NULL);
        if (i > 0) {
            munmap(m->cpu[i].run, m->guest.run_bytes);
            close(m->cpu[i].fd);
        }
    }
    close_guest(&m->guest);
}

/* Each of them is woken, then all are waited for. */
static double wake(struct machine *all, int machines, int rounds)
{
    uint64_t from = now();
    for (int r = 0; r < rounds; r++) {
        for (int i = 0; i < machines; i++) {
            all[i].wanted = atomic_load(&all[i].written) + 1;
            atomic_store(&all[i].given, 'x');
            set_line(&all[i], 1);
        }
        for (int i = 0; i < machines; i++) {
            while (atomic_load(&all[i].written) < all[i].wanted)
                sched_yield();
        }
    }
    return (double)(now() - from) / rounds / machines;
}

static void in_turn(int machines, int cpus, const char *code, size_t bytes)
{
    long resident = resident_kib();
    uint64_t started = 0, closed = 0;
    for (int i = 0; i < machines; i++) {
        struct machine *m = calloc(1, sizeof *m);
        uint64_t from = now();
        start(m, cpus, code, bytes);
        uint64_t up = now();
        stop(m);
        closed += now() - up;
        started += up - from;
        free(m);
    }
    printf("%.0f %.1f 0 0 %.0f\n", (double)started / machines, (double)(resident_kib() - resident) / machines,
           (double)closed / machines);
    fflush(stdout);
}

static void answer(int machines, int cpus, int rounds, const char *file)
{
    static char code[4096];
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t bytes = fd < 0 ? -1 : read(fd, code, sizeof code);
    if (bytes <= 0 || cpus > MOST_CPUS)
        die(file);
    close(fd);
    if (rounds == 0) {
        in_turn(machines, cpus, code, (size_t)bytes);
        return;
    }
    struct machine *all = calloc((size_t)machines, sizeof *all);
    long resident = resident_kib();
    uint64_t from = now();
    for (int i = 0; i < machines; i++)
        start(&all[i], cpus, code, (size_t)bytes);
    double started = (double)(now() - from) / machines;
    double memory = (double)(resident_kib() - resident) / machines;
    double two = wake(all, machines < 2 ? machines : 2, rounds * machines / 2);
    double many = wake(all, machines, rounds);
    from = now();
    for (int i = 0; i < machines; i++)
        stop(&all[i]);
    double closed = (double)(now() - from) / machines;
    free(all);
    printf("%.0f %.1f %.0f %.0f %.0f\n", started, memory, two, many, closed);
    fflush(stdout);
}

int density(void)
{
    int machines, cpus, rounds;
    char file[512];
    struct sigaction ignore = {.sa_handler = nothing};
    sigaction(SIGUSR1, &ignore, NULL);
    while (scanf("%d %d %d %511s", &machines, &cpus, &rounds, file) == 4)
        answer(machines, cpus, rounds, file);
    return 0;
}
