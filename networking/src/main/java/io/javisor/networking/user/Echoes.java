package io.javisor.networking.user;

import io.javisor.linux.Epoll;
import io.javisor.linux.EventFd;
import io.javisor.linux.IcmpSocket;
import io.javisor.linux.LinuxException;
import io.javisor.networking.frame.Frame;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Pings beyond the gateway, by sockets of the host's: one for each guest, identifier and destination. Asked by the network's
 * thread; the answers are waited for by a thread of its own, because a selector of Java's takes no such sockets.
 */
final class Echoes {
    /** At the same time; a new one takes the place of the one used longest ago. */
    private static final int MOST = 64;

    private static final int MOST_BYTES = 65_507;
    private static final long END = -1;
    private static final int BURST = 64;
    private static final int MOST_WAITING = 256; // answers that the network's thread has not come to

    private final NetworkLoop loop;
    private final GuestLink link;
    private final Destinations destinations;
    private final MemorySegment outgoing = Arena.ofAuto().allocate(MOST_BYTES, 8);
    private final Map<FlowKey, Echo> echoes = new LinkedHashMap<>(16, 0.75f, true);
    private final Map<Long, Echo> byToken = new ConcurrentHashMap<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private @Nullable Waiter waiter;
    private long nextToken;
    private boolean refusalTold;

    /** A guest that asks somebody. */
    private record Echo(FlowKey key, IcmpSocket socket, long token) {}

    Echoes(NetworkLoop loop, GuestLink link, Destinations destinations) {
        this.loop = loop;
        this.link = link;
        this.destinations = destinations;
    }

    /**
     * Asks on.
     *
     * @param in a guest's echo request
     * @param bytes of the ICMP message
     * @return false if it must not, or can't
     */
    boolean ask(Frame in, IpAddress from, IpAddress to, int bytes) {
        var key = new FlowKey(from, in.getShort(in.transport() + 4), to, 0);
        Echo echo = echoes.get(key);
        if (echo == null) {
            InetAddress there = destinations.ofEcho(to);
            echo = there == null ? null : open(key, there);
        }
        if (echo == null) {
            return false;
        }
        if (bytes <= MOST_BYTES) {
            MemorySegment.copy(in.segment(), in.transport(), outgoing, 0, bytes);
            echo.socket.send(outgoing, bytes); // what the host does not take is lost, as pings may be
        }
        return true;
    }

    private @Nullable Echo open(FlowKey key, InetAddress whom) {
        IcmpSocket socket = null;
        try {
            Waiter there = waiter;
            if (there == null) {
                there = new Waiter();
                waiter = there;
            }
            if (echoes.size() >= MOST) {
                end(echoes.values().iterator().next());
            }
            socket = IcmpSocket.open(whom);
            var echo = new Echo(key, socket, nextToken++);
            echoes.put(key, echo);
            byToken.put(echo.token, echo);
            there.epoll.add(socket.descriptor(), Epoll.READABLE, echo.token);
            return echo;
        } catch (LinuxException e) {
            if (socket != null) {
                socket.close();
            }
            if (!refusalTold) {
                refusalTold = true;
                System.getLogger("io.javisor.networking")
                        .log(
                                System.Logger.Level.WARNING,
                                "guests can ping nobody but their gateway: " + e.getMessage()
                                        + "; sysctl net.ipv4.ping_group_range=\"0 2147483647\" lets them");
            }
            return null;
        }
    }

    private void end(Echo echo) {
        echoes.remove(echo.key);
        byToken.remove(echo.token);
        echo.socket.close(); // epoll forgets it
    }

    /** An answer, for the guest. */
    private void answered(Echo echo, byte[] message) {
        waiting.decrementAndGet();
        if (!echoes.containsKey(echo.key)) {
            return;
        }
        FlowKey key = echo.key;
        Frame frame = link.writer().frame();
        int rest = FrameWriter.icmpRest(key.ipv6());
        System.arraycopy(message, 4, frame.bytes(), rest, message.length - 4);
        frame.putShort(rest, key.guestPort()); // the socket has an identifier of its own
        link.echo(key.remote(), key.guest(), message.length);
    }

    /** The network has ended. */
    void close() {
        Waiter there = waiter;
        if (there != null) {
            there.close();
        }
        echoes.values().forEach(echo -> echo.socket.close());
    }

    /** Waits for answers. */
    private final class Waiter {
        private final Epoll epoll = new Epoll(16);
        private final EventFd end = new EventFd();
        private final MemorySegment incoming = Arena.ofAuto().allocate(IcmpSocket.MOST_BYTES, 8);
        private final Thread thread;

        Waiter() {
            epoll.add(end.descriptor(), Epoll.READABLE, END);
            thread = Thread.ofPlatform()
                    .daemon()
                    .name("javisor-user-network-echoes")
                    .unstarted(this::loop);
            thread.start();
        }

        private void loop() {
            while (true) {
                int n = epoll.await(-1);
                for (int i = 0; i < n; i++) {
                    long token = epoll.token(i);
                    if (token == END) {
                        return;
                    }
                    Echo echo = byToken.get(token);
                    if (echo != null) {
                        take(echo);
                    }
                }
            }
        }

        private void take(Echo echo) {
            try {
                for (int i = 0; i < BURST; i++) {
                    int bytes = echo.socket.receive(incoming);
                    if (bytes == 0) {
                        return;
                    }
                    if (bytes < Icmp.ECHO_HEADER || bytes > MOST_BYTES || waiting.get() >= MOST_WAITING) {
                        continue;
                    }
                    byte[] message = incoming.asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE);
                    waiting.incrementAndGet();
                    loop.post(() -> answered(echo, message));
                }
            } catch (IllegalStateException e) {
                // closed meanwhile
            }
        }

        void close() {
            end.signal();
            boolean interrupted = false;
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            epoll.close();
            end.close();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
