/* What a host does with memory that a guest gives up and gets back: holes are punched, and pages made present again. */
#define _GNU_SOURCE
#include "peer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY (256ul << 20)
#define FIRST (128ul << 20)
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

struct balloon {
    int fd;
    char *at;
    size_t bytes, stride; /* of one piece, and from one to the next */
    long pieces, mib;
};

static void *set_up(const char *name)
{
    struct balloon *b = calloc(1, sizeof *b);
    int huge = !strcmp(name, "BalloonMoves.hugePages");
    b->mib = huge ? 64 : 16;
    b->bytes = huge ? (size_t)b->mib << 20 : 4096; /* what lies side by side is one piece to the host */
    b->stride = huge ? b->bytes : 8192;
    b->pieces = (b->mib << 20) / (long)b->bytes;
    b->fd = memfd_create("peer", MFD_CLOEXEC);
    if (b->fd < 0 || ftruncate(b->fd, MEMORY))
        die("a memory file");
    b->at = map_aligned(MEMORY, b->fd, MAP_SHARED);
    madvise(b->at, MEMORY, MADV_HUGEPAGE);
    if (madvise(b->at, MEMORY, MADV_POPULATE_WRITE))
        die("madvise");
    return b;
}

static long batch(void *state)
{
    struct balloon *b = state;
    for (long i = 0; i < b->pieces; i++)
        if (fallocate(b->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(FIRST + (size_t)i * b->stride),
                      (off_t)b->bytes))
            die("fallocate");
    for (long i = 0; i < b->pieces; i++)
        if (madvise(b->at + FIRST + (size_t)i * b->stride, b->bytes, MADV_POPULATE_WRITE))
            die("madvise");
    return b->mib;
}

const struct peer balloon_peers[] = {
    {"BalloonMoves.hugePages", set_up, batch},
    {"BalloonMoves.singlePages", set_up, batch},
    {0},
};
