/* Runs one benchmark's peer: peer NAME, then a line of nanoseconds on standard input for each measurement. */
#define _GNU_SOURCE
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define HUGE (2ul << 20)

volatile uint64_t sink;

static uint64_t nanos_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

_Noreturn void die(const char *what)
{
    fprintf(stderr, "peer: %s: %s\n", what, strerror(errno));
    exit(1);
}

void *map_aligned(size_t bytes, int fd, int flags)
{
    char *room = mmap(NULL, bytes + HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        die("mmap");
    char *at = (char *)(((uintptr_t)room + HUGE - 1) & ~(HUGE - 1));
    if (mmap(at, bytes, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0) == MAP_FAILED)
        die("mmap");
    if (at > room)
        munmap(room, (size_t)(at - room));
    munmap(at + bytes, (size_t)(room + HUGE - at));
    return at;
}

static const struct peer *find(const char *name)
{
    const struct peer *const all[] = {exit_peers, memory_peers, machine_peers, ring_peers, signal_peers, bridge_peers,
                                       balloon_peers};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (const struct peer *p = all[i]; p->name; p++)
            if (!strcmp(p->name, name))
                return p;
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "Density"))
        return density();
    if (argc == 2 && !strcmp(argv[1], "Latencies"))
        return latencies();
    if (argc == 2 && !strcmp(argv[1], "Burn"))
        return burn();
    const struct peer *p = argc == 2 ? find(argv[1]) : NULL;
    if (!p) {
        fprintf(stderr, "peer: nothing by the name of %s\n", argc > 1 ? argv[1] : "(none)");
        return 64;
    }
    void *state = p->set_up(argv[1]);
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        uint64_t wanted = strtoull(line, NULL, 10);
        uint64_t processor = nanos_of(CLOCK_PROCESS_CPUTIME_ID);
        uint64_t start = nanos_of(CLOCK_MONOTONIC);
        uint64_t taken;
        long operations = 0;
        do {
            operations += p->batch(state);
            taken = nanos_of(CLOCK_MONOTONIC) - start;
        } while (taken < wanted);
        processor = nanos_of(CLOCK_PROCESS_CPUTIME_ID) - processor;
        printf("%.4f %.4f\n", (double)taken / (double)operations, (double)processor / (double)operations);
        fflush(stdout);
    }
    return 0;
}
