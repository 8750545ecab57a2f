package io.javisor.networking.user;

import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Ports of the host's that lead to the first guest. {@link #listen}, {@link #all} and {@link #close} are safe from any thread. */
final class Forwards {
    private final NetworkLoop loop;
    private final Flows flows;
    private final Supplier<IpAddress> guest;
    private final List<InetSocketAddress> listening = new ArrayList<>(); // guarded by itself
    private final List<ServerSocketChannel> servers = new ArrayList<>(); // guarded by listening

    /**
     * @param guest the first guest's address; asked for by the network's thread
     */
    Forwards(NetworkLoop loop, Flows flows, Supplier<IpAddress> guest) {
        this.loop = loop;
        this.flows = flows;
        this.guest = guest;
    }

    /** Where the host listens, in the order in which that was asked for. */
    List<InetSocketAddress> all() {
        synchronized (listening) {
            return List.copyOf(listening);
        }
    }

    /** Begins to listen. */
    InetSocketAddress listen(PortForward forward) {
        try {
            var server = ServerSocketChannel.open();
            try {
                server.configureBlocking(false);
                server.setOption(StandardSocketOptions.SO_REUSEADDR, true);
                server.bind(new InetSocketAddress(InetAddress.ofLiteral(forward.hostAddress()), forward.hostPort()));
                var at = (InetSocketAddress) server.getLocalAddress();
                synchronized (listening) {
                    listening.add(at);
                    servers.add(server);
                }
                loop.post(() -> {
                    try {
                        loop.register(server, new Listener(server, forward.guestPort()))
                                .interestOps(SelectionKey.OP_ACCEPT);
                    } catch (IOException e) {
                        Flow.close(server, false); // the selector is closed
                    }
                });
                return at;
            } catch (IOException | RuntimeException e) {
                server.close();
                throw e;
            }
        } catch (IOException | IllegalArgumentException e) {
            throw new HypervisorException(
                    "port-forward",
                    "can't listen on " + forward.hostAddress() + " port " + forward.hostPort() + ": " + e.getMessage(),
                    "choose another port, or 0 for any that is free");
        }
    }

    /** Closes all, also those that the loop has not come to. */
    void close() {
        synchronized (listening) {
            servers.forEach(server -> Flow.close(server, false));
        }
    }

    private final class Listener implements Flow {
        private final ServerSocketChannel server;
        private final int guestPort;

        Listener(ServerSocketChannel server, int guestPort) {
            this.server = server;
            this.guestPort = guestPort;
        }

        @Override
        public void ready() {
            try {
                for (SocketChannel channel = server.accept(); channel != null; channel = server.accept()) {
                    flows.accepted(channel, guest.get(), guestPort);
                }
            } catch (IOException e) {
                // It went away before it was accepted, or there are no descriptors left: others come.
                return;
            }
        }

        @Override
        public long deadline() {
            return Long.MAX_VALUE;
        }

        @Override
        public void timedOut() {}

        @Override
        public void close() {
            Flow.close(server, false);
        }
    }
}
