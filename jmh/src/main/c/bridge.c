/*
 * Linux's bridge beside SwitchForwarding: so many veth pairs, whose near ends are ports of a bridge, in a network namespace of this
 * process's own; each far end in turn sends to the next one's address, by a packet socket, without a queue. Needs root.
 */
#define _GNU_SOURCE
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define BATCH 64
#define TYPE 0x88B5 /* for local experiments: nobody listens, so that the far end drops it at once */

struct bridge {
    int ports;
    int next;
    int sockets[256];
    struct iovec vector[256];
    unsigned char frames[256][1514];
};

static void mac(unsigned char *at, int port)
{
    const unsigned char bytes[6] = {2, 0, 0, 0, (unsigned char)(port >> 8), (unsigned char)port};
    memcpy(at, bytes, 6);
}

static void interfaces(int ports)
{
    FILE *ip = popen("ip -batch -", "w");
    if (!ip)
        die("ip");
    fprintf(ip, "link add name br0 type bridge\nlink set br0 up\n");
    for (int i = 0; i < ports; i++) {
        fprintf(ip, "link add name n%d type veth peer name f%d address 02:00:00:00:%02x:%02x\n", i, i, i >> 8, i & 255);
        fprintf(ip, "link set n%d master br0\nlink set n%d up\nlink set f%d up\n", i, i, i);
    }
    if (pclose(ip) != 0) {
        fprintf(stderr, "peer: ip can't make a bridge of veth pairs\n");
        exit(1);
    }
}

static int socket_of(int port, int protocol)
{
    char name[IF_NAMESIZE];
    snprintf(name, sizeof name, "f%d", port);
    struct sockaddr_ll at = {
        .sll_family = AF_PACKET, .sll_protocol = htons(protocol), .sll_ifindex = (int)if_nametoindex(name)};
    int fd = socket(AF_PACKET, SOCK_RAW, 0), on = 1;
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) || setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on))
        die("a packet socket");
    return fd;
}

/* Each sends to everybody once, so that the bridge knows who is where; then one frame has to arrive. */
static void introduce(struct bridge *b)
{
    unsigned char got[2048];
    struct timeval patience = {.tv_sec = 5};
    for (int i = 0; i < b->ports; i++) {
        memset(b->frames[i], 0xFF, 6);
        if (send(b->sockets[i], b->frames[i], b->vector[i].iov_len, 0) < 0)
            die("send");
        mac(b->frames[i], (i + 1) % b->ports);
    }
    sleep(1);
    int fd = socket_of(1, TYPE);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) ||
        send(b->sockets[0], b->frames[0], b->vector[0].iov_len, 0) < 0 || recv(fd, got, sizeof got, 0) < 0)
        die("a frame over the bridge");
    close(fd);
}

static void *set_up(const char *name)
{
    int bytes, ports;
    if (sscanf(name, "SwitchForwarding.bytes%dPorts%d", &bytes, &ports) != 2 || ports > 256 || bytes > 1514)
        die(name);
    if (unshare(CLONE_NEWNET))
        die("a network namespace (root has one)");
    interfaces(ports);
    sleep(2); /* ports of a bridge forward once they have listened */
    struct bridge *b = calloc(1, sizeof *b);
    b->ports = ports;
    for (int i = 0; i < ports; i++) {
        mac(b->frames[i] + 6, i);
        b->frames[i][12] = TYPE >> 8;
        b->frames[i][13] = TYPE & 255;
        b->vector[i] = (struct iovec){b->frames[i], (size_t)bytes};
        b->sockets[i] = socket_of(i, 0);
    }
    introduce(b);
    return b;
}

static long batch(void *state)
{
    struct bridge *b = state;
    struct mmsghdr messages[BATCH] = {0};
    for (int i = 0; i < BATCH; i++)
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &b->vector[b->next], .msg_iovlen = 1};
    int sent = sendmmsg(b->sockets[b->next], messages, BATCH, 0);
    if (sent < 0 && errno != ENOBUFS)
        die("sendmmsg");
    b->next = (b->next + 1) % b->ports;
    return sent > 0 ? sent : 0;
}

const struct peer bridge_peers[] = {
    {"SwitchForwarding.bytes64Ports2", set_up, batch},
    {"SwitchForwarding.bytes64Ports16", set_up, batch},
    {"SwitchForwarding.bytes64Ports256", set_up, batch},
    {"SwitchForwarding.bytes1500Ports2", set_up, batch},
    {"SwitchForwarding.bytes1500Ports16", set_up, batch},
    {"SwitchForwarding.bytes1500Ports256", set_up, batch},
    {0},
};
