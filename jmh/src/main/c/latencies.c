/*
 * How long an interrupt takes to a guest's handler and a doorbell to this process's, beside Latencies: the same guest (latencies.S), the
 * same requests. Reads lines "way samples gap", the gap in ns between two, and answers each with a line of ns, by a guest of its own.
 */
#define _GNU_SOURCE
#include "kvm.h"
#include "peer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MEMORY (2 << 20)
#define CODE 0x1000
#define COUNTER 0xc000
#define WORD 0xc040
#define PORT 0xe0
#define GSI 24
#define LOCAL_APICS 0xfee00000
#define VECTOR 0x60
#define DOORBELL 2

struct timed {
    struct guest guest;
    int line, bell, end, epoll;
    pthread_t vcpu, reactor;
    uint64_t given;
    uint64_t heard; /* when; before rings */
    atomic_ulong rings;
    atomic_bool stopping;
};

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void pause_for(long nanos)
{
    struct timespec t = {.tv_nsec = nanos};
    nanosleep(&t, NULL);
}

static int event(void)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        die("eventfd");
    return fd;
}

static void signal_event(int fd)
{
    uint64_t one = 1;
    if (write(fd, &one, sizeof one) < 0)
        die("write");
}

static void *run(void *of)
{
    struct timed *t = of;
    while (!atomic_load(&t->stopping)) {
        if (ioctl(t->guest.cpu, KVM_RUN, 0) == 0)
            die("an exit");
        if (errno != EINTR)
            die("KVM_RUN");
    }
    return NULL;
}

static void *react(void *of)
{
    struct timed *t = of;
    struct epoll_event events[64];
    while (!atomic_load(&t->stopping)) {
        int n = epoll_wait(t->epoll, events, 64, -1);
        for (int i = 0; i < n; i++) {
            uint64_t count;
            if (events[i].data.fd != t->bell)
                continue;
            if (read(t->bell, &count, sizeof count) < 0)
                die("read");
            t->heard = now();
            atomic_fetch_add(&t->rings, 1);
        }
    }
    return NULL;
}

static void watch(struct timed *t, int fd)
{
    struct epoll_event readable = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, fd, &readable))
        die("epoll_ctl");
}

static uint64_t counter(struct timed *t)
{
    return __atomic_load_n((uint64_t *)(t->guest.memory + COUNTER), __ATOMIC_ACQUIRE);
}

static void begin(struct timed *t, int way)
{
    struct guest *g = &t->guest;
    g->memory_fd = -1;
    open_machine(g, map_aligned(MEMORY, -1, MAP_SHARED | MAP_ANONYMOUS), MEMORY);
    load_beside(g, "latencies.bin");
    struct {
        struct kvm_irq_routing head;
        struct kvm_irq_routing_entry entry;
    } routes = {
        .head.nr = 1,
        .entry = {.gsi = GSI, .type = KVM_IRQ_ROUTING_MSI, .u.msi = {.address_lo = LOCAL_APICS, .data = VECTOR}}};
    call(g->vm, KVM_SET_GSI_ROUTING, &routes, "KVM_SET_GSI_ROUTING");
    t->line = event();
    struct kvm_irqfd irq = {.fd = (uint32_t)t->line, .gsi = GSI};
    call(g->vm, KVM_IRQFD, &irq, "KVM_IRQFD");
    t->bell = event();
    t->end = event();
    struct kvm_ioeventfd bell = {.addr = PORT, .len = 1, .fd = t->bell, .flags = KVM_IOEVENTFD_FLAG_PIO};
    call(g->vm, KVM_IOEVENTFD, &bell, "KVM_IOEVENTFD");
    t->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (t->epoll < 0)
        die("epoll_create1");
    watch(t, t->bell);
    watch(t, t->end);
    enter_long_mode(g, CODE, (uint64_t)way);
    if (pthread_create(&t->vcpu, NULL, run, t) || pthread_create(&t->reactor, NULL, react, t))
        die("pthread_create");
    while (!counter(t))
        pause_for(1000);
}

static void end(struct timed *t)
{
    atomic_store(&t->stopping, true);
    t->guest.run->immediate_exit = 1;
    pthread_kill(t->vcpu, SIGUSR1);
    signal_event(t->end);
    pthread_join(t->vcpu, NULL);
    pthread_join(t->reactor, NULL);
    char *memory = t->guest.memory;
    close_guest(&t->guest);
    munmap(memory, MEMORY);
    close(t->line);
    close(t->bell);
    close(t->end);
    close(t->epoll);
}

static uint64_t interrupt(struct timed *t)
{
    uint64_t before = counter(t);
    uint64_t from = now();
    signal_event(t->line);
    while (counter(t) == before)
        __builtin_ia32_pause();
    return now() - from;
}

static uint64_t doorbell(struct timed *t, long gap)
{
    uint64_t from = now();
    __atomic_store_n((uint64_t *)(t->guest.memory + WORD), ++t->given, __ATOMIC_RELEASE);
    while (atomic_load(&t->rings) != t->given)
        pause_for(gap);
    return t->heard - from;
}

static void nothing(int signal)
{
    (void)signal;
}

int latencies(void)
{
    int way;
    long samples, gap;
    struct sigaction ignore = {.sa_handler = nothing};
    sigaction(SIGUSR1, &ignore, NULL);
    while (scanf("%d %ld %ld", &way, &samples, &gap) == 3) {
        struct timed t = {0};
        begin(&t, way);
        for (long i = 0; i < samples; i++) {
            pause_for(gap);
            printf("%lu ", way == DOORBELL ? doorbell(&t, gap) : interrupt(&t));
        }
        end(&t);
        putchar('\n');
        fflush(stdout);
    }
    return 0;
}

static void *spin(void *over)
{
    while (!atomic_load_explicit((atomic_bool *)over, memory_order_relaxed))
        sink++;
    return NULL;
}

int burn(void)
{
    static atomic_bool over;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    for (long i = 0; i < processors; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, spin, &over))
            die("pthread_create");
    }
    while (getchar() != EOF)
        ;
    atomic_store(&over, true);
    return 0;
}
