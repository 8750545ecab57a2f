package io.javisor.storage.fcoe;

import io.javisor.linux.Epoll;
import io.javisor.linux.EventFd;
import io.javisor.linux.FrameDevice;
import io.javisor.linux.HostInterface;
import io.javisor.linux.LinuxException;
import io.javisor.linux.PacketSocket;
import io.javisor.partition.HypervisorException;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.fibrechannel.Zoning;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A Fibre Channel fabric on network interfaces of this host: all that is connected to their networks, and speaks FCoE, is in it.
 * One thread serves it. Needs CAP_NET_RAW. Safe from any thread.
 *
 * <pre>{@code
 * try (FabricSwitch fabric = FabricSwitch.open(List.of("sw0", "sw1"))) {
 *     fabric.zones(z -> z.set("db", Set.of(initiator, target)));
 * }
 * }</pre>
 */
public final class FabricSwitch implements AutoCloseable {
    /** Unless said otherwise; 8 seconds is FC-BB-6's own. */
    public static final Duration KEEP_ALIVE = Duration.ofSeconds(8);

    /** Locally assigned names (NAA 3), so that no vendor's is taken; the lower half is that of the first interface. */
    private static final long NAME_PREFIX = 0x3000L << 48;

    private static final int FRAME_ROOM = 9216;
    private static final int FRAMES_A_TURN = 64;
    private static final int TURN_MILLIS = 250;
    private static final long STOP = -1;

    private final List<String> names;
    private final List<PacketSocket> sockets = new ArrayList<>();
    private final EventFd stop = new EventFd();
    private final Epoll epoll = new Epoll(64);
    private final Zoning zoning = new Zoning();
    private final FcoeForwarder forwarder;
    private final Wwn name;
    private final Thread thread;
    private final MemorySegment in = Arena.ofAuto().allocate(FRAME_ROOM, 8);
    private final MemorySegment out = Arena.ofAuto().allocate(FRAME_ROOM, 8);
    private long lost;
    private volatile boolean closed;

    private FabricSwitch(List<String> interfaces, Duration keepAlive) {
        names = List.copyOf(interfaces);
        long[] macs = new long[names.size()];
        try {
            for (int i = 0; i < macs.length; i++) {
                PacketSocket socket = PacketSocket.open(names.get(i));
                sockets.add(socket);
                macs[i] = HostInterface.mac(names.get(i));
                epoll.add(socket.descriptor(), Epoll.READABLE, i);
            }
            epoll.add(stop.descriptor(), Epoll.READABLE, STOP);
            name = new Wwn(NAME_PREFIX | macs[0]);
            forwarder = new FcoeForwarder(this::send, macs, name, (int) keepAlive.toMillis(), zoning);
        } catch (RuntimeException | Error e) {
            release();
            throw e;
        }
        FrameDevice.plainHeader(out);
        thread = Thread.ofPlatform().daemon().name("fabric-" + names.getFirst()).unstarted(this::run);
    }

    /** A fabric on interfaces, with everything visible to everybody, from now until it is closed. */
    public static FabricSwitch open(List<String> interfaces) {
        return open(interfaces, KEEP_ALIVE);
    }

    /**
     * A fabric with another period of keep-alives: who is not heard of for two and a half of them is logged out.
     *
     * @param interfaces 1 to 255, each up or not
     * @param keepAlive 250 milliseconds to 90 seconds
     * @throws HypervisorException with code {@code fabric-interface} if there is no such interface, it is no Ethernet, or this
     *     process may not open it
     */
    public static FabricSwitch open(List<String> interfaces, Duration keepAlive) {
        if (interfaces.isEmpty() || interfaces.size() > FabricPorts.MOST_LINKS) {
            throw new IllegalArgumentException(
                    interfaces.size() + " interfaces are not in 1.." + FabricPorts.MOST_LINKS);
        }
        if (keepAlive.toMillis() < 250 || keepAlive.toMillis() > 90_000) {
            throw new IllegalArgumentException("a keep-alive of " + keepAlive + " is not in 250 ms to 90 s");
        }
        try {
            var fabric = new FabricSwitch(interfaces, keepAlive);
            fabric.thread.start();
            return fabric;
        } catch (LinuxException e) {
            throw new HypervisorException(
                    "fabric-interface",
                    "no fabric on " + String.join(", ", interfaces) + ": " + e.getMessage(),
                    null,
                    e.errno(),
                    "name Ethernet interfaces of this host (ip link), and run as root or with CAP_NET_RAW",
                    e);
        }
    }

    private void run() {
        long nextLook = 0;
        while (!closed) {
            int ready = epoll.await(TURN_MILLIS);
            synchronized (this) {
                if (closed) {
                    return;
                }
                long now = TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
                if (now - nextLook >= 0 || nextLook == 0) {
                    nextLook = now + TURN_MILLIS;
                    look();
                    forwarder.tick(now);
                }
                for (int i = 0; i < ready; i++) {
                    if (epoll.token(i) != STOP) {
                        receive((int) epoll.token(i), now);
                    }
                }
            }
        }
    }

    private void receive(int link, long now) {
        PacketSocket socket = sockets.get(link);
        for (int i = 0; i < FRAMES_A_TURN; i++) {
            int bytes = socket.read(in);
            if (bytes <= FrameDevice.HEADER_BYTES) {
                return;
            }
            int length = bytes - FrameDevice.HEADER_BYTES;
            forwarder.received(
                    link, in.asSlice(FrameDevice.HEADER_BYTES, length).asByteBuffer(), now);
        }
    }

    private void send(int link, ByteBuffer frame) {
        int length = frame.limit();
        MemorySegment.copy(
                MemorySegment.ofBuffer(frame.duplicate().position(0)), 0, out, FrameDevice.HEADER_BYTES, length);
        if (!sockets.get(link).write(out, FrameDevice.HEADER_BYTES + (long) length)) {
            lost++;
        }
    }

    /** Which links are up. The kernel refuses to tell of an interface that is down itself. */
    private void look() {
        for (int link = 0; link < names.size(); link++) {
            boolean up;
            try {
                up = Files.readString(Path.of("/sys/class/net", names.get(link), "carrier"))
                        .startsWith("1");
            } catch (IOException e) {
                up = false;
            }
            forwarder.link(link, up);
        }
    }

    /** Its name, made of the first interface's address. */
    public Wwn name() {
        return name;
    }

    /** The interfaces, whose index is a port's link. */
    public List<String> interfaces() {
        return names;
    }

    /** Who is logged in, by address. */
    public synchronized List<FabricPort> ports() {
        return forwarder.ports();
    }

    /** Changes zones; ports are told of it when all is changed. */
    public synchronized void zones(Consumer<Zoning> change) {
        change.accept(zoning);
        forwarder.rezoned();
    }

    /** Whether it has been closed. */
    public boolean isClosed() {
        return closed;
    }

    /** Frames that have gone from port to port. */
    public synchronized long forwarded() {
        return forwarder.forwarded();
    }

    /** Frames that were not right, or not allowed, or did not fit the interface's queue. */
    public synchronized long dropped() {
        return forwarder.dropped() + lost;
    }

    /** Logs all out, and lets go of the interfaces. Idempotent. */
    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            forwarder.end();
        }
        stop.signal();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        release();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void release() {
        epoll.close();
        stop.close();
        sockets.forEach(PacketSocket::close);
    }

    @Override
    public String toString() {
        return "fabric " + name + " on " + String.join(", ", names);
    }
}
