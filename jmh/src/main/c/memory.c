/* Guest memory as a device sees it: an address is looked up among the regions, checked, then used. */
#define _GNU_SOURCE
#include "peer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define REGION (64ul << 20)
#define HIGH 0x100000000ul
#define ROUNDS 1024
#define STRIDE 0x1f1f8ul /* odd times 8, so that accesses spread */
#define SPREAD (256ul << 10)

struct region {
    uint64_t gpa, bytes;
    char *host;
};

struct memory {
    struct region regions[2];
    int count;
    char other[65536];
};

static char *at(const struct memory *m, uint64_t gpa, uint64_t bytes)
{
    int low = 0, high = m->count - 1;
    while (low <= high) {
        int middle = (low + high) / 2;
        const struct region *r = &m->regions[middle];
        if (gpa < r->gpa)
            high = middle - 1;
        else if (gpa - r->gpa >= r->bytes)
            low = middle + 1;
        else if (bytes <= r->bytes - (gpa - r->gpa))
            return r->host + (gpa - r->gpa);
        else
            break;
    }
    die("an address outside memory");
}

static void *set_up(const char *name)
{
    (void)name;
    struct memory *m = calloc(1, sizeof *m);
    for (int i = 0; i < 2; i++) {
        char *host = map_aligned(REGION, -1, MAP_SHARED | MAP_ANONYMOUS);
        memset(host, 1, REGION);
        m->regions[i] = (struct region){i ? HIGH : 0, REGION, host};
    }
    m->count = 2;
    return m;
}

static uint64_t address(uint64_t round)
{
    return ((round & 1) ? HIGH : 0) + (round * STRIDE & (SPREAD - 8));
}

static long get_long(void *state)
{
    struct memory *m = state;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        uint64_t value;
        memcpy(&value, at(m, address(i), 8), 8);
        sum += value;
    }
    sink += sum;
    return ROUNDS;
}

static long put_long(void *state)
{
    struct memory *m = state;
    for (uint64_t i = 0; i < ROUNDS; i++)
        memcpy(at(m, address(i), 8), &i, 8);
    return ROUNDS;
}

static long copy_out(struct memory *m, size_t bytes)
{
    for (uint64_t i = 0; i < 64; i++)
        memcpy(m->other, at(m, address(i), bytes), bytes);
    sink += (uint64_t)m->other[0];
    return 64;
}

static long copy_in(struct memory *m, size_t bytes)
{
    for (uint64_t i = 0; i < 64; i++)
        memcpy(at(m, address(i), bytes), m->other, bytes);
    return 64;
}

static long read_4k(void *m) { return copy_out(m, 4096); }
static long write_4k(void *m) { return copy_in(m, 4096); }
static long read_64k(void *m) { return copy_out(m, 65536); }
static long write_64k(void *m) { return copy_in(m, 65536); }

const struct peer memory_peers[] = {
    {"GuestMemoryCopy.getLong", set_up, get_long},
    {"GuestMemoryCopy.putLong", set_up, put_long},
    {"GuestMemoryCopy.read4KiB", set_up, read_4k},
    {"GuestMemoryCopy.write4KiB", set_up, write_4k},
    {"GuestMemoryCopy.read64KiB", set_up, read_64k},
    {"GuestMemoryCopy.write64KiB", set_up, write_64k},
    {0},
};
