/*
 * The guest's part of the comparison of networks: net HOST PORT connects to the host, which says one load after the other on that
 * connection, a line each, and is told when it is over. The ports after that one are for the loads themselves.
 */
#include <arpa/inet.h>
#include <err.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SINK = 1, SOURCE, DISCARD, WINDOWS, ECHO };

static struct sockaddr_in host;
static char buffer[1 << 16];

static int to(int kind, int port)
{
    struct sockaddr_in there = host;
    int s = socket(AF_INET, kind, 0);

    there.sin_port = htons(ntohs(host.sin_port) + port);
    if (s < 0 || connect(s, (struct sockaddr *)&there, sizeof there) < 0)
        err(1, "port %d", port);
    return s;
}

static long out(int s, size_t bytes)
{
    ssize_t n = send(s, buffer, bytes, 0);

    if (n < 0)
        err(1, "send");
    return n;
}

static long in(int s)
{
    ssize_t n = recv(s, buffer, sizeof buffer, 0);

    if (n < 0)
        err(1, "recv");
    return n;
}

/* Turns large receives on, which hv_netvsc leaves off; virtio-net has no such switch, and takes them anyway. */
static void large(void)
{
    struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };
    struct ifreq ask = { .ifr_name = "eth0", .ifr_data = (void *)&flags };
    int s = socket(AF_INET, SOCK_DGRAM, 0);

    if (s < 0 || ioctl(s, SIOCETHTOOL, &ask) < 0)
        err(1, "ETHTOOL_GFLAGS");
    flags.cmd = ETHTOOL_SFLAGS;
    /* Off first: the driver tells the host of changes only. */
    flags.data &= ~ETH_FLAG_LRO;
    if (ioctl(s, SIOCETHTOOL, &ask) == 0) {
        flags.data |= ETH_FLAG_LRO;
        if (ioctl(s, SIOCETHTOOL, &ask) < 0)
            warn("no large receives");
    }
    close(s);
}

/* A load, by its name, how often, and of which size; gives what was done. */
static long load(const char *name, long count, long size)
{
    long done = 0;

    if (strcmp(name, "tcp-out") == 0) {
        int s = to(SOCK_STREAM, SINK);
        for (long left = count; left > 0; left -= size)
            done += out(s, left < size ? left : size);
        shutdown(s, SHUT_WR);
        in(s); /* the host has all of it, and closes */
        close(s);
    } else if (strcmp(name, "tcp-in") == 0) {
        int s = to(SOCK_STREAM, SOURCE);
        for (long n; (n = in(s)) > 0;)
            done += n;
        close(s);
    } else if (strcmp(name, "udp-out") == 0) {
        int s = to(SOCK_DGRAM, DISCARD);
        for (; done < count; done++)
            out(s, size);
        close(s);
    } else if (strcmp(name, "udp-in") == 0) {
        /* The host sends 32, and the next 32 when it is told that they have come: none is lost. */
        int s = to(SOCK_DGRAM, WINDOWS);
        out(s, 1);
        while (done < count) {
            in(s);
            if (++done % 32 == 0)
                out(s, 1);
        }
        close(s);
    } else if (strcmp(name, "round-trips") == 0) {
        int s = to(SOCK_DGRAM, ECHO);
        for (; done < count; done++) {
            out(s, size);
            in(s);
        }
        close(s);
    } else if (strcmp(name, "large") == 0) {
        large();
        done = count;
    } else {
        errx(1, "no load %s", name);
    }
    return done;
}

int main(int argc, char **argv)
{
    char line[128];
    char name[32];
    long count;
    long size;

    if (argc != 3)
        errx(2, "net HOST PORT");
    host.sin_family = AF_INET;
    host.sin_port = htons((unsigned short)atoi(argv[2]));
    if (inet_pton(AF_INET, argv[1], &host.sin_addr) != 1)
        errx(2, "%s is no address", argv[1]);
    int control = to(SOCK_STREAM, 0);
    FILE *orders = fdopen(control, "r");
    if (orders == NULL)
        err(1, "control");
    while (fgets(line, sizeof line, orders) != NULL) {
        if (sscanf(line, "%31s %ld %ld", name, &count, &size) != 3 || size < 1 || size > (long)sizeof buffer)
            errx(1, "not understood: %s", line);
        dprintf(control, "%ld\n", load(name, count, size));
    }
    return 0;
}
