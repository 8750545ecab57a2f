/*
 * What the programs beside the benchmarks share. A peer is started for one benchmark, sets itself up, and then answers lines:
 * a number of nanoseconds to run for, to which it prints the nanoseconds that one operation took: elapsed, and of processors.
 */
#ifndef PEER_H
#define PEER_H

#include <stddef.h>
#include <stdint.h>

struct peer {
    const char *name;                      /* class and method, as JMH knows them, with a parameter after a colon */
    void *(*set_up)(const char *name);     /* what the operations work on */
    long (*batch)(void *state);            /* does some operations; says how many */
};

extern const struct peer exit_peers[];
extern const struct peer memory_peers[];
extern const struct peer machine_peers[];
extern const struct peer ring_peers[];
extern const struct peer signal_peers[];
extern const struct peer bridge_peers[];
extern const struct peer balloon_peers[];

/* Answers Density's lines, until its standard input ends. */
int density(void);

/* Answers Latencies' lines, until its standard input ends. */
int latencies(void);

/* Keeps every processor busy until its standard input ends. */
int burn(void);

/* Where results go that nobody needs, so that the compiler has to make them. */
extern volatile uint64_t sink;

/* Prints what failed with errno's text and ends the process. */
_Noreturn void die(const char *what);

/* A zeroed mapping that starts at a multiple of 2 MiB. */
void *map_aligned(size_t bytes, int fd, int flags);

#endif
