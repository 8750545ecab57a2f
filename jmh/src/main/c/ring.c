/*
 * A VMBus ring with both of its ends in one thread: what a writer stages is published at once, read packet by packet into a
 * buffer that the peer can't change, and given back. Every index and length that the other end owns is checked.
 */
#define _GNU_SOURCE
#include "peer.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define DATA 65536u
#define PAYLOAD 64
#define PACKETS 64

struct control {
    _Atomic uint32_t in, out, mask, pending;
    uint32_t reserved[12];
    _Atomic uint32_t features;
};

struct packet {
    uint64_t word, transaction;
    char payload[4096];
};

struct ring {
    struct control *control;
    char *data;
    uint32_t write, published, seen_out; /* the writer's */
    uint32_t read, committed, seen_in;   /* the reader's */
    struct packet packet;
    char payload[PAYLOAD];
};

static uint32_t index_of(_Atomic uint32_t *field)
{
    uint32_t i = atomic_load_explicit(field, memory_order_acquire);
    if (i >= DATA || i & 7)
        die("a corrupt index");
    return i;
}

static uint32_t wrap(uint32_t i)
{
    return i >= DATA ? i - DATA : i;
}

static void put(struct ring *r, uint32_t at, const void *from, uint32_t bytes)
{
    uint32_t first = bytes < DATA - at ? bytes : DATA - at;
    memcpy(r->data + at, from, first);
    if (first < bytes)
        memcpy(r->data, (const char *)from + first, bytes - first);
}

static void get(struct ring *r, uint32_t at, void *to, uint32_t bytes)
{
    uint32_t first = bytes < DATA - at ? bytes : DATA - at;
    memcpy(to, r->data + at, first);
    if (first < bytes)
        memcpy((char *)to + first, r->data, bytes - first);
}

static uint32_t room(const struct ring *r)
{
    return DATA - ((r->write - r->seen_out + DATA) & (DATA - 1));
}

static int stage(struct ring *r, uint64_t transaction, const char *payload, uint32_t bytes)
{
    uint32_t length = 16 + ((bytes + 7) & ~7u);
    if (room(r) <= length + 8) {
        r->seen_out = index_of(&r->control->out);
        if (room(r) <= length + 8)
            return 0;
    }
    uint64_t word = 6 | 2ull << 16 | (uint64_t)(length / 8) << 32;
    uint64_t trailer = (uint64_t)r->write << 32;
    put(r, r->write, &word, 8);
    put(r, wrap(r->write + 8), &transaction, 8);
    put(r, wrap(r->write + 16), payload, bytes);
    put(r, wrap(r->write + length), &trailer, 8);
    r->write = wrap(r->write + length + 8);
    return 1;
}

static int publish(struct ring *r)
{
    uint32_t before = r->published;
    r->published = r->write;
    atomic_store_explicit(&r->control->in, r->write, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&r->control->mask, memory_order_relaxed))
        return 0;
    r->seen_out = index_of(&r->control->out);
    return r->seen_out == before;
}

static int next(struct ring *r)
{
    uint32_t available = (r->seen_in - r->read + DATA) & (DATA - 1);
    if (!available) {
        r->seen_in = index_of(&r->control->in);
        available = (r->seen_in - r->read + DATA) & (DATA - 1);
        if (!available)
            return 0;
    }
    uint64_t word;
    get(r, r->read, &word, 8);
    uint32_t header = 8 * (uint32_t)(word >> 16 & 0xffff);
    uint32_t length = 8 * (uint32_t)(word >> 32 & 0xffff);
    if (header < 16 || header > length || length + 8 > available || length > sizeof r->packet)
        die("a corrupt packet");
    get(r, wrap(r->read + 8), &r->packet.transaction, length - 8);
    r->packet.word = word;
    r->read = wrap(r->read + length + 8);
    return 1;
}

static int commit(struct ring *r)
{
    uint32_t before = r->committed;
    r->committed = r->read;
    atomic_store_explicit(&r->control->out, r->read, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    uint32_t pending = atomic_load_explicit(&r->control->pending, memory_order_relaxed);
    if (!pending)
        return 0;
    uint32_t in = index_of(&r->control->in);
    uint32_t had = DATA - ((in - before + DATA) & (DATA - 1));
    uint32_t has = DATA - ((in - r->committed + DATA) & (DATA - 1));
    return had <= pending && has > pending;
}

static void *set_up(const char *name)
{
    (void)name;
    struct ring *r = calloc(1, sizeof *r);
    r->control = map_aligned(4096 + DATA, -1, MAP_SHARED | MAP_ANONYMOUS);
    r->data = (char *)r->control + 4096;
    return r;
}

static long packets(struct ring *r, int batch)
{
    uint64_t sum = 0;
    for (int done = 0; done < PACKETS; done += batch) {
        for (int i = 0; i < batch; i++)
            if (!stage(r, (uint64_t)i, r->payload, PAYLOAD))
                die("a full ring");
        sum += (uint64_t)publish(r);
        while (next(r))
            sum += r->packet.transaction;
        sum += (uint64_t)commit(r);
    }
    sink += sum;
    return PACKETS;
}

static long batch_1(void *r) { return packets(r, 1); }
static long batch_8(void *r) { return packets(r, 8); }
static long batch_64(void *r) { return packets(r, 64); }

const struct peer ring_peers[] = {
    {"RingPackets.batchesOf1", set_up, batch_1},
    {"RingPackets.batchesOf8", set_up, batch_8},
    {"RingPackets.batchesOf64", set_up, batch_64},
    {0},
};
