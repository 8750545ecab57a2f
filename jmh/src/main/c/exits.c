/* Round trips from the guest to this process and back: the shortest loop that serves them. */
#define _GNU_SOURCE
#include "kvm.h"
#include "peer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define BATCH 256
#define NO_MEMORY 0x30000000 /* inside what the page tables map, outside what has memory */

static long serve(void *state)
{
    struct guest *g = state;
    struct kvm_run *run = g->run;
    for (int i = 0; i < BATCH; i++) {
        if (ioctl(g->cpu, KVM_RUN, 0) < 0)
            die("KVM_RUN");
        switch (run->exit_reason) {
        case KVM_EXIT_IO: {
            uint8_t *data = (uint8_t *)run + run->io.data_offset;
            if (run->io.direction == KVM_EXIT_IO_OUT)
                sink += *data;
            else
                *data = 0x5a;
            break;
        }
        case KVM_EXIT_MMIO:
            if (run->mmio.is_write)
                sink += run->mmio.data[0];
            else
                run->mmio.data[0] = 0x5a;
            break;
        default:
            die("an exit of another kind");
        }
    }
    return BATCH;
}

static const uint8_t port_write[] = {0xe6, 0x10, 0xeb, 0xfc};       /* out 0x10, al; again */
static const uint8_t port_read[] = {0xe4, 0x10, 0xeb, 0xfc};        /* in al, 0x10 */
static const uint8_t mmio_write[] = {0xa2, 0x00, 0x80, 0xeb, 0xfb}; /* mov [0x8000], al */
static const uint8_t mmio_read[] = {0xa0, 0x00, 0x80, 0xeb, 0xfb};  /* mov al, [0x8000] */
static const uint8_t mmio_write_64[] = {0x88, 0x06, 0xeb, 0xfc};    /* mov [rsi], al */
static const uint8_t mmio_read_64[] = {0x8a, 0x06, 0xeb, 0xfc};     /* mov al, [rsi] */

static void *bare(const char *name)
{
    struct guest *g = calloc(1, sizeof *g);
    const char *method = strchr(name, '.') + 1;
    if (!strcmp(method, "portWrite"))
        open_bare(g, port_write, sizeof port_write);
    else if (!strcmp(method, "portRead"))
        open_bare(g, port_read, sizeof port_read);
    else if (!strcmp(method, "mmioWrite"))
        open_bare(g, mmio_write, sizeof mmio_write);
    else
        open_bare(g, mmio_read, sizeof mmio_read);
    return g;
}

static void *machine(const char *name)
{
    struct guest *g = calloc(1, sizeof *g);
    const char *method = strchr(name, '.') + 1;
    const uint8_t *code = !strcmp(method, "portWrite") ? port_write
        : !strcmp(method, "portRead")                  ? port_read
        : !strcmp(method, "mmioWrite")                 ? mmio_write_64
                                                       : mmio_read_64;
    g->memory_fd = -1;
    open_machine(g, map_aligned(2 << 20, -1, MAP_SHARED | MAP_ANONYMOUS), 2 << 20);
    memcpy(g->memory + 0x1000, code, 4);
    enter_long_mode(g, 0x1000, NO_MEMORY);
    return g;
}

const struct peer exit_peers[] = {
    {"TypedExit.portWrite", bare, serve},
    {"TypedExit.portRead", bare, serve},
    {"TypedExit.mmioWrite", bare, serve},
    {"TypedExit.mmioRead", bare, serve},
    {"DeviceExit.portWrite", machine, serve},
    {"DeviceExit.portRead", machine, serve},
    {"DeviceExit.mmioWrite", machine, serve},
    {"DeviceExit.mmioRead", machine, serve},
    {0},
};
