// SCSI requests by SG_IO: sgio DEVICE BYTES COUNT DEPTH WRITES  prints how many nanoseconds COUNT requests of 4 KiB took,
// DEPTH at a time, at random places within BYTES; WRITES is 0 or 1.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <scsi/sg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

enum { REQUEST = 4096, SECTOR = 512 };

static int device;
static uint64_t blocks;
static int writes;
static atomic_long left;
static pthread_barrier_t ready;

static void *requests(void *seed) {
    uint64_t random = 88172645463325252u + (uintptr_t)seed;
    unsigned char *data = aligned_alloc(4096, REQUEST);
    memset(data, 1, REQUEST);
    pthread_barrier_wait(&ready);
    while (atomic_fetch_sub(&left, 1) > 0) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        uint32_t lba = (uint32_t)((random >> 1) % blocks * (REQUEST / SECTOR));
        unsigned char sense[96];
        unsigned char cdb[10] = {writes ? 0x2A : 0x28, 0, lba >> 24, lba >> 16, lba >> 8, lba, 0, 0, REQUEST / SECTOR, 0};
        struct sg_io_hdr io = {
            .interface_id = 'S',
            .dxfer_direction = writes ? SG_DXFER_TO_DEV : SG_DXFER_FROM_DEV,
            .cmd_len = sizeof cdb,
            .mx_sb_len = sizeof sense,
            .dxfer_len = REQUEST,
            .dxferp = data,
            .cmdp = cdb,
            .sbp = sense,
            .timeout = 60000,
        };
        if (ioctl(device, SG_IO, &io) != 0 || io.status != 0 || io.host_status != 0) {
            fprintf(stderr, "sgio: block %u: status %d, host %d\n", lba, io.status, io.host_status);
            exit(1);
        }
    }
    return NULL;
}

int main(int count, char **words) {
    if (count != 6 || (device = open(words[1], O_RDWR | O_NONBLOCK)) < 0) {
        perror("sgio DEVICE BYTES COUNT DEPTH WRITES");
        return 2;
    }
    blocks = strtoull(words[2], NULL, 10) / REQUEST;
    atomic_store(&left, atol(words[3]));
    int depth = atoi(words[4]);
    writes = atoi(words[5]);
    pthread_t *threads = calloc(depth, sizeof *threads);
    struct timespec begin, end;
    pthread_barrier_init(&ready, NULL, depth + 1);
    for (int i = 0; i < depth; i++) {
        pthread_create(&threads[i], NULL, requests, (void *)(uintptr_t)i);
    }
    clock_gettime(CLOCK_MONOTONIC, &begin);
    pthread_barrier_wait(&ready);
    for (int i = 0; i < depth; i++) {
        pthread_join(threads[i], NULL);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%lld\n", (end.tv_sec - begin.tv_sec) * 1000000000LL + end.tv_nsec - begin.tv_nsec);
    return 0;
}
