/* Signals between this process and a guest, both ways, by the requests that a VMBus makes. */
#define _GNU_SOURCE
#include "kvm.h"
#include "peer.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define BATCH 256
#define MEMORY (2 << 20)
#define CODE 0x1000
#define EVENTS (0xb000 + 2 * 256)
#define COUNTER 0xc000
#define WORD 0xc040
#define CONNECTION 1
#define GSI 24

enum way { ROUND_TRIP, TO_GUEST, TO_HOST };

struct signals {
    struct guest guest;
    enum way way;
    int raise, resample, rung, epoll;
    uint64_t given;
};

static void *run(void *state)
{
    struct guest *g = state;
    for (;;) {
        if (ioctl(g->cpu, KVM_RUN, 0) < 0 && errno != EINTR)
            die("KVM_RUN");
        if (g->run->exit_reason != KVM_EXIT_HYPERV && g->run->exit_reason != KVM_EXIT_INTR) {
            fprintf(stderr, "exit %u\n", g->run->exit_reason);
            die("an exit of another kind");
        }
    }
    return NULL;
}

/* The processor's leaves with Hyper-V's in place of KVM's own. */
static void set_hyperv_cpuid(struct guest *g)
{
    struct kvm_cpuid2 *all = calloc(1, sizeof *all + 1024 * sizeof *all->entries);
    struct kvm_cpuid2 *own = calloc(1, sizeof *own + 512 * sizeof *own->entries);
    struct kvm_cpuid2 *hyperv = calloc(1, sizeof *hyperv + 512 * sizeof *hyperv->entries);
    own->nent = hyperv->nent = 512;
    call(g->kvm, KVM_GET_SUPPORTED_CPUID, own, "KVM_GET_SUPPORTED_CPUID");
    call(g->kvm, KVM_GET_SUPPORTED_HV_CPUID, hyperv, "KVM_GET_SUPPORTED_HV_CPUID");
    for (uint32_t i = 0; i < own->nent; i++)
        if (own->entries[i].function >> 16 != 0x4000)
            all->entries[all->nent++] = own->entries[i];
    for (uint32_t i = 0; i < hyperv->nent; i++)
        all->entries[all->nent++] = hyperv->entries[i];
    call(g->cpu, KVM_SET_CPUID2, all, "KVM_SET_CPUID2");
}

static int event(void)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        die("eventfd");
    return fd;
}

static void wire(struct signals *s)
{
    struct guest *g = &s->guest;
    struct kvm_enable_cap synic = {.cap = KVM_CAP_HYPERV_SYNIC2};
    call(g->cpu, KVM_ENABLE_CAP, &synic, "KVM_ENABLE_CAP");
    struct {
        struct kvm_irq_routing head;
        struct kvm_irq_routing_entry entry;
    } routes = {
        .head.nr = 1,
        .entry = {.gsi = GSI, .type = KVM_IRQ_ROUTING_HV_SINT, .u.hv_sint = {.vcpu = 0, .sint = 2}}};
    call(g->vm, KVM_SET_GSI_ROUTING, &routes, "KVM_SET_GSI_ROUTING");
    s->raise = event();
    s->resample = event();
    struct kvm_irqfd irq = {
        .fd = (uint32_t)s->raise,
        .resamplefd = (uint32_t)s->resample,
        .gsi = GSI,
        .flags = KVM_IRQFD_FLAG_RESAMPLE};
    call(g->vm, KVM_IRQFD, &irq, "KVM_IRQFD");
    s->rung = event();
    struct kvm_hyperv_eventfd doorbell = {.conn_id = CONNECTION, .fd = s->rung};
    call(g->vm, KVM_HYPERV_EVENTFD, &doorbell, "KVM_HYPERV_EVENTFD");
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event readable = {.events = EPOLLIN, .data.u64 = 1};
    if (s->epoll < 0 || epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->rung, &readable))
        die("epoll");
}

static void *set_up(const char *name)
{
    struct signals *s = calloc(1, sizeof *s);
    struct guest *g = &s->guest;
    const char *method = strchr(name, '.') + 1;
    s->way = !strcmp(method, "roundTrip") ? ROUND_TRIP : !strcmp(method, "toGuest") ? TO_GUEST : TO_HOST;
    g->memory_fd = -1;
    open_machine(g, map_aligned(MEMORY, -1, MAP_SHARED | MAP_ANONYMOUS), MEMORY);
    set_hyperv_cpuid(g);
    load_beside(g, "signals.bin");
    wire(s);
    enter_long_mode(g, CODE, s->way);
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, g))
        die("pthread_create");
    while (!__atomic_load_n((uint64_t *)(g->memory + COUNTER), __ATOMIC_ACQUIRE))
        ;
    return s;
}

static void raise_sint(struct signals *s)
{
    uint32_t *flags = (uint32_t *)(s->guest.memory + EVENTS);
    if (!(__atomic_fetch_or(flags, 1, __ATOMIC_SEQ_CST) & 1)) {
        uint64_t one = 1;
        if (write(s->raise, &one, sizeof one) < 0)
            die("write");
    }
}

static void await_ring(struct signals *s)
{
    struct epoll_event events[64];
    uint64_t count;
    while (epoll_wait(s->epoll, events, 64, -1) < 1)
        ;
    if (read(s->rung, &count, sizeof count) < 0)
        die("read");
}

static long batch(void *state)
{
    struct signals *s = state;
    uint64_t *counter = (uint64_t *)(s->guest.memory + COUNTER);
    uint64_t *word = (uint64_t *)(s->guest.memory + WORD);
    for (int i = 0; i < BATCH; i++) {
        switch (s->way) {
        case ROUND_TRIP:
            raise_sint(s);
            await_ring(s);
            break;
        case TO_GUEST: {
            uint64_t before = __atomic_load_n(counter, __ATOMIC_ACQUIRE);
            raise_sint(s);
            while (__atomic_load_n(counter, __ATOMIC_ACQUIRE) == before)
                ;
            break;
        }
        case TO_HOST:
            __atomic_store_n(word, ++s->given, __ATOMIC_RELEASE);
            await_ring(s);
            break;
        }
    }
    return BATCH;
}

const struct peer signal_peers[] = {
    {"Signals.roundTrip", set_up, batch},
    {"Signals.toGuest", set_up, batch},
    {"Signals.toHost", set_up, batch},
    {0},
};
