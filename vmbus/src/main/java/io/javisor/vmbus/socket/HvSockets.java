package io.javisor.vmbus.socket;

import io.javisor.partition.HypervisorException;
import io.javisor.vmbus.DeviceOffer;
import io.javisor.vmbus.SocketConnector;
import io.javisor.vmbus.VmBus;
import io.javisor.vmbus.protocol.VmBusVersion;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Sockets between the host and one machine's guest. Safe from any thread. Linux loads hv_sock when a program uses AF_VSOCK only
 * if the module is already named in its configuration, as it has no alias: load it explicitly.
 */
public final class HvSockets implements SocketConnector, AutoCloseable {
    /** How long the guest may take to open a connection that it asked for. */
    private static final long OPEN_NANOS = 30_000_000_000L;

    private static final int FIRST_EPHEMERAL_PORT = 0x8000_0000; // well above what programs choose

    /** Linux connects to ports of the host below 2^31 only (MAX_HOST_LISTEN_PORT of net/vmw_vsock/hyperv_transport.c). */
    private static final int FIRST_PORT_ANYWHERE = 0x7F00_0000;

    private final VmBus bus;
    private final ConcurrentHashMap<Integer, HvSocketListener> listeners = new ConcurrentHashMap<>();
    private final AtomicInteger nextPort = new AtomicInteger(FIRST_EPHEMERAL_PORT);
    private final AtomicInteger portAnywhere = new AtomicInteger();

    /** The sockets of a bus; one such object a bus. */
    public HvSockets(VmBus bus) {
        this.bus = bus;
        bus.setSocketConnector(this);
    }

    /**
     * Connects to a program in the guest that listens on a port. Blocks; good for virtual threads, not for reactors.
     *
     * @param port of the guest, unsigned
     * @param limit how long to wait: a guest in which nobody listens says nothing at all
     * @throws HypervisorException if nobody took the connection in time, or the guest's bus does not do sockets
     * @throws InterruptedIOException if the thread is interrupted
     */
    public HvSocket connect(int port, Duration limit) throws InterruptedIOException {
        CompletableFuture<HvSocket> connected = new CompletableFuture<>();
        SocketEnd end = begin(port, connected);
        try {
            return connected.get(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            end.close();
            throw new HypervisorException(
                    "socket-timeout",
                    "nobody in the guest took a connection to port " + Integer.toUnsignedString(port) + " in "
                            + limit.toMillis() + " ms",
                    "check that hv_sock is loaded there and that a program listens on this AF_VSOCK port");
        } catch (InterruptedException e) {
            end.close();
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while connecting to the guest");
        } catch (ExecutionException e) {
            throw new AssertionError(e);
        }
    }

    /** Offers the connection; what comes of it is told by the future. */
    SocketEnd begin(int port, CompletableFuture<HvSocket> connected) {
        VmBusVersion version = bus.version();
        if (version == null || !version.atLeast(VmBusVersion.V4_0)) {
            throw new HypervisorException(
                    "socket-unavailable",
                    version == null
                            ? "the guest is not connected to the VMBus"
                            : "the guest speaks version " + version + " of the VMBus, and sockets came with 4.0",
                    "wait until the guest has booted");
        }
        int local = nextPort.getAndIncrement();
        Attempt attempt = new Attempt() {
            @Override
            public void opened(SocketEnd end) {
                connected.complete(new HvSocket(end, local, port));
            }
        };
        SocketEnd end = new SocketEnd(ServicePort.guid(port), ServicePort.guid(local), true, attempt);
        attempt.offered(bus.addTransient(end));
        return end;
    }

    /**
     * Listens on a port of the host.
     *
     * @param port unsigned
     * @param backlog connections that may wait for {@link HvSocketListener#accept}, at least 1
     * @throws HypervisorException if somebody listens there already
     */
    public HvSocketListener listen(int port, int backlog) {
        if (backlog < 1) {
            throw new IllegalArgumentException("backlog " + backlog);
        }
        HvSocketListener listener = new HvSocketListener(this, port, backlog);
        if (listeners.putIfAbsent(port, listener) != null) {
            throw new HypervisorException(
                    "socket-in-use",
                    "somebody listens on port " + Integer.toUnsignedString(port) + " already",
                    "choose another, or close the listener");
        }
        return listener;
    }

    /**
     * Listens on some free port of the host, from 0x7F000000 to 0x7FFFFFFF, where programs hardly choose theirs.
     *
     * @param backlog connections that may wait for {@link HvSocketListener#accept}, at least 1
     */
    public HvSocketListener listenAnywhere(int backlog) {
        while (true) {
            try {
                return listen(FIRST_PORT_ANYWHERE | portAnywhere.getAndIncrement() & 0xFF_FFFF, backlog);
            } catch (HypervisorException e) {
                if (!e.code().equals("socket-in-use")) {
                    throw e;
                }
            }
        }
    }

    /** Whether the guest's driver is there and speaks a version of the bus that has sockets. */
    public boolean isAvailable() {
        VmBusVersion version = bus.version();
        return version != null && version.atLeast(VmBusVersion.V4_0);
    }

    /** Closes the listeners, so that nobody waits for connections that can't come. The sockets end with the bus. Idempotent. */
    @Override
    public void close() {
        listeners.values().forEach(HvSocketListener::close);
    }

    void stopped(HvSocketListener listener) {
        listeners.remove(listener.port(), listener);
    }

    /** The guest wants to connect; on the bus's reactor. */
    @Override
    public boolean requested(UUID guestEndpoint, UUID hostService) {
        if (!ServicePort.isPort(hostService)) {
            return false;
        }
        int port = ServicePort.port(hostService);
        HvSocketListener listener = listeners.get(port);
        if (listener == null || !listener.reserve()) {
            return false;
        }
        Attempt attempt = new Attempt() {
            private boolean told; // the reactors'; guarded by this

            @Override
            public void opened(SocketEnd end) {
                tell(new HvSocket(end, port, ServicePort.port(guestEndpoint)));
            }

            @Override
            void ended() {
                tell(null);
            }

            private void tell(@Nullable HvSocket socket) {
                synchronized (this) {
                    if (told) {
                        return;
                    }
                    told = true;
                }
                listener.arrived(socket);
            }
        };
        SocketEnd end = new SocketEnd(hostService, guestEndpoint, false, attempt);
        try {
            attempt.offered(bus.addTransient(end));
        } catch (HypervisorException e) {
            attempt.finished(end); // such a connection is there already, or all channel IDs are taken
            return false;
        }
        bus.reactor().schedule(OPEN_NANOS, () -> attempt.giveUp(end));
        return true;
    }

    /** A connection from its offer to its end. */
    private abstract static class Attempt implements SocketEnd.Owner {
        private @Nullable DeviceOffer offer; // guarded by this, like what follows
        private boolean over;

        synchronized void offered(DeviceOffer made) {
            offer = made;
            if (over) {
                made.close();
            }
        }

        @Override
        public final void finished(SocketEnd end) {
            ended();
            synchronized (this) {
                over = true;
                if (offer != null) {
                    offer.close();
                }
            }
        }

        /** It is over, perhaps before it began. */
        void ended() {}

        void giveUp(SocketEnd end) {
            if (!end.wasOpened()) {
                end.close();
            }
        }
    }
}
