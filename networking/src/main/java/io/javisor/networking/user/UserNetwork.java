package io.javisor.networking.user;

import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.FrameQueue;
import io.javisor.networking.vswitch.PortSettings;
import io.javisor.networking.vswitch.Station;
import io.javisor.networking.vswitch.SwitchPort;
import io.javisor.networking.vswitch.VirtualSwitch;
import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * A user-mode network on a port of a switch. It has one thread. Constructor, {@link #forward}, {@link #receive} and
 * {@link #close} are safe from any thread.
 */
public final class UserNetwork implements Station, AutoCloseable {
    /** Connections and datagram flows at the same time. */
    static final int MOST_FLOWS = 1024;

    private static final int MOST_NEIGHBOURS = 256;
    private static final int DHCP = 67;
    private static final int DNS = 53;
    private static final int PORT_UNREACHABLE = 3;
    private static final int PROHIBITED = 13;
    private static final int FIRST_FORWARD_PORT = 32_768;
    private static final long NANOS_PER_MILLI = 1_000_000L;

    private final UserNetworkSpec spec;
    private final List<InetSocketAddress> nameServers;
    private final int mtu;
    private final Selector selector;
    private final SwitchPort port;
    private final FrameQueue queue = new FrameQueue();
    private final AtomicBoolean woken = new AtomicBoolean();
    private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final LongAdder refused = new LongAdder();
    private final List<InetSocketAddress> listening = new ArrayList<>();
    private final List<ServerSocketChannel> servers = new ArrayList<>(); // guarded by listening
    private final Thread thread;
    private volatile boolean closed;

    // The rest belongs to the thread.
    private final Frame frame = new Frame();
    private final FrameWriter writer = new FrameWriter();
    private final DhcpServer dhcp;
    private final Map<Integer, Long> neighbours = new LinkedHashMap<>();
    private final Map<TcpFlow.Key, TcpFlow> tcp = new HashMap<>();
    private final Map<TcpFlow.Key, UdpFlow> udp = new HashMap<>();
    private final SecureRandom random = new SecureRandom();
    private long nextTimer = Long.MAX_VALUE;
    private int nextForwardPort = FIRST_FORWARD_PORT;

    /**
     * Begins to serve guests on a switch.
     *
     * @param on the switch
     * @param spec what it is like
     * @param mtu bytes of the largest packet on the switch
     * @throws HypervisorException with code {@code port-forward} if a forwarded port can't be listened on
     */
    public UserNetwork(VirtualSwitch on, UserNetworkSpec spec, int mtu) {
        this.spec = spec;
        this.mtu = mtu;
        dhcp = new DhcpServer(mtu);
        nameServers = !spec.nameServers().isEmpty()
                ? spec.nameServers()
                : spec.egress().isNone() ? List.of() : HostResolvers.read();
        try {
            selector = Selector.open();
        } catch (IOException e) {
            throw new HypervisorException(
                    "user-network", "no selector: " + e.getMessage(), "raise the limit of open files");
        }
        try {
            spec.forwards().forEach(this::listen);
        } catch (RuntimeException | Error e) {
            closeAll();
            throw e;
        }
        port = on.connect("user", PortSettings.uplink(), this);
        thread = Thread.ofPlatform()
                .daemon()
                .name("javisor-user-network-" + on.name())
                .unstarted(this::loop);
        thread.start();
    }

    // From other threads

    @Override
    public void receive(Frame from) {
        if (!closed && queue.put(from, 0, 0)) {
            wake();
        }
    }

    @Override
    public boolean takesLarge(int etherType) {
        return true;
    }

    @Override
    public boolean takesOpenChecksums() {
        return true;
    }

    private void wake() {
        // Pairs with the clear in loop(): what is put after the clear finds false, and wakes.
        if (woken.compareAndSet(false, true)) {
            selector.wakeup();
        }
    }

    /**
     * Begins to forward a port.
     *
     * @return where the host listens
     * @throws HypervisorException with code {@code port-forward} if it can't
     */
    public InetSocketAddress forward(PortForward forward) {
        InetSocketAddress at = listen(forward);
        wake();
        return at;
    }

    /** Where the host listens for what is forwarded, in the order in which that was asked for. */
    public List<InetSocketAddress> forwards() {
        synchronized (listening) {
            return List.copyOf(listening);
        }
    }

    /** Connections and datagrams that were refused because the policy forbids their destination. */
    public long refused() {
        return refused.sum();
    }

    private InetSocketAddress listen(PortForward forward) {
        try {
            var server = ServerSocketChannel.open();
            try {
                server.configureBlocking(false);
                server.setOption(StandardSocketOptions.SO_REUSEADDR, true);
                server.bind(new InetSocketAddress(InetAddress.ofLiteral(forward.hostAddress()), forward.hostPort()));
                var at = (InetSocketAddress) server.getLocalAddress();
                tasks.add(() -> {
                    try {
                        register(server, new Listener(server, forward.guestPort()))
                                .interestOps(SelectionKey.OP_ACCEPT);
                    } catch (IOException e) {
                        Flow.close(server, false); // the selector is closed
                    }
                });
                synchronized (listening) {
                    listening.add(at);
                    servers.add(server);
                }
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

    /** Closes all connections, and waits for the thread to end. Idempotent. */
    @Override
    public void close() {
        closed = true;
        port.close();
        selector.wakeup();
        boolean interrupted = false;
        while (thread.isAlive() && !Thread.currentThread().equals(thread)) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    // The thread

    private void loop() {
        try {
            while (!closed) {
                turn();
            }
        } catch (IOException e) {
            System.getLogger("io.javisor.networking").log(System.Logger.Level.ERROR, "user-mode network ended", e);
        } finally {
            closeAll();
        }
    }

    private void turn() throws IOException {
        long wait = nextTimer == Long.MAX_VALUE ? 0 : Math.max(1, (nextTimer - now()) / NANOS_PER_MILLI + 1);
        if (queue.isEmpty() && tasks.isEmpty()) {
            selector.select(this::ready, wait);
        } else {
            selector.selectNow(this::ready);
        }
        woken.set(false);
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
        for (int i = 0; i < 256 && queue.next(); i++) {
            queue.take(frame);
            if (frame.parse()) {
                guarded(() -> received(frame));
            }
        }
        if (now() - nextTimer >= 0) {
            runTimers();
        }
    }

    private void ready(SelectionKey key) {
        guarded(((Flow) key.attachment())::ready);
    }

    /** One flow's failure must not end the others' thread. */
    private static void guarded(Runnable work) {
        try {
            work.run();
        } catch (CancelledKeyException e) {
            // closed meanwhile
        } catch (RuntimeException e) {
            System.getLogger("io.javisor.networking").log(System.Logger.Level.ERROR, "user-mode network", e);
        }
    }

    private void runTimers() {
        nextTimer = Long.MAX_VALUE;
        var all = new ArrayList<Flow>(tcp.values());
        all.addAll(udp.values());
        long time = now();
        for (Flow flow : all) {
            if (flow.deadline() - time <= 0) {
                guarded(flow::timedOut);
            } else {
                timerAt(flow.deadline());
            }
        }
    }

    private void closeAll() {
        for (SelectionKey key : selector.keys()) {
            ((Flow) key.attachment()).close();
        }
        tasks.clear();
        synchronized (listening) {
            servers.forEach(server -> Flow.close(server, false)); // also those that nobody has registered yet
        }
        try {
            selector.close();
        } catch (IOException e) {
            // it is gone in any case
        }
    }

    /** Nanoseconds, on a clock that never comes near its end. */
    long now() {
        return System.nanoTime() & Long.MAX_VALUE >> 1;
    }

    void timerAt(long deadline) {
        nextTimer = Math.min(nextTimer, deadline);
    }

    int initialSequence() {
        return random.nextInt();
    }

    FrameWriter writer() {
        return writer;
    }

    SelectionKey register(SelectableChannel channel, Flow flow) throws IOException {
        channel.configureBlocking(false);
        return channel.register(selector, 0, flow);
    }

    void remove(TcpFlow flow) {
        tcp.remove(flow.key(), flow);
    }

    void remove(UdpFlow flow) {
        udp.remove(flow.key(), flow);
    }

    // To the guests

    private void send(Frame out) {
        port.send(out);
    }

    void emit(TcpFlow flow, int sequence, int acknowledged, int flags, int window, int options, int bytes) {
        Long mac = neighbours.get(flow.guest());
        if (mac == null) {
            send(writer.arpQuestion(flow.guest())); // the segment is sent again later
        } else {
            send(writer.tcp(mac, flow, sequence, acknowledged, flags, window, options, bytes));
        }
    }

    /** A datagram whose payload is in the writer's frame. */
    void emit(TcpFlow.Key key, int bytes) {
        Long mac = neighbours.get(key.guest());
        if (mac != null && bytes <= mtu - 28) {
            send(writer.udp(mac, key.remote(), key.remotePort(), key.guest(), key.guestPort(), bytes));
        }
    }

    // From the guests

    private void received(Frame in) {
        long to = in.destination();
        boolean everybody = to == 0xFFFF_FFFF_FFFFL;
        if (in.vlan() != 0 || (!everybody && to != Addresses.GATEWAY_MAC.value())) {
            return;
        }
        if (in.etherType() == Frame.ARP) {
            arp(in);
        } else if (in.etherType() == Frame.IPV4 && in.protocol() != 0 && !in.isFragment() && in.transport() != 0) {
            ipv4(in);
        }
    }

    private void meet(int address, long mac) {
        if (Addresses.isGuest(address) && (neighbours.size() < MOST_NEIGHBOURS || neighbours.containsKey(address))) {
            neighbours.put(address, mac);
        }
    }

    private void arp(Frame in) {
        int at = Frame.HEADER;
        if (in.length() < at + 28 || in.getInt(at) != 0x0001_0800 || in.getShort(at + 4) != 0x0604) {
            return;
        }
        int sender = in.getInt(at + 14);
        int target = in.getInt(at + 24);
        meet(sender, in.source());
        if (in.getShort(at + 6) == 1 && (target == Addresses.GATEWAY || target == Addresses.NAME_SERVER)) {
            send(writer.arpAnswer(in.source(), target, sender));
        }
    }

    private void ipv4(Frame in) {
        int from = in.getInt(Frame.HEADER + 12);
        int to = in.getInt(Frame.HEADER + 16);
        if (in.protocol() == Frame.UDP && in.destinationPort() == DHCP) {
            byte[] answer = dhcp.answer(Arrays.copyOfRange(in.bytes(), in.payload(), in.length()));
            if (answer != null) {
                System.arraycopy(answer, 0, writer.frame().bytes(), FrameWriter.udpPayload(), answer.length);
                send(writer.udp(0xFFFF_FFFF_FFFFL, Addresses.GATEWAY, DHCP, -1, 68, answer.length));
            }
            return;
        }
        if (!Addresses.isGuest(from) || in.isMulticast()) {
            return;
        }
        meet(from, in.source());
        switch (in.protocol()) {
            case Frame.ICMP -> echo(in, from, to);
            case Frame.TCP -> tcp(in, from, to);
            case Frame.UDP -> udp(in, from, to);
            default -> send(writer.unreachable(in.source(), in, 2));
        }
    }

    private void echo(Frame in, int from, int to) {
        int icmp = in.transport();
        int bytes = Checksums.transportLength(in);
        if (bytes < 8 || in.getByte(icmp) != 8) {
            return;
        }
        if (to == Addresses.GATEWAY || to == Addresses.NAME_SERVER) {
            System.arraycopy(in.bytes(), icmp + 4, writer.frame().bytes(), FrameWriter.icmpRest(), bytes - 4);
            send(writer.icmp(in.source(), to, from, 0, 0, bytes));
        } else {
            send(writer.unreachable(in.source(), in, PROHIBITED));
        }
    }

    /** Where a guest's packet goes; null if it must not. */
    private @Nullable InetSocketAddress destination(int address, int toPort) {
        if (address == Addresses.NAME_SERVER) {
            return toPort == DNS && !nameServers.isEmpty() ? nameServers.getFirst() : null;
        }
        if (address == Addresses.GATEWAY) {
            return spec.hostLoopback() ? new InetSocketAddress(Addresses.of(Addresses.LOOPBACK), toPort) : null;
        }
        if (Addresses.isLocal(address) || toPort == 0 || !spec.egress().permits(address)) {
            return null;
        }
        return new InetSocketAddress(Addresses.of(address), toPort);
    }

    private void tcp(Frame in, int from, int to) {
        var key = new TcpFlow.Key(from, in.sourcePort(), to, in.destinationPort());
        TcpFlow flow = tcp.get(key);
        if (flow != null) {
            flow.received(in);
            return;
        }
        int flags = in.getByte(in.transport() + 13);
        if ((flags & TcpFlow.RST) != 0) {
            return;
        }
        InetSocketAddress there = destination(to, key.remotePort());
        if (there == null) {
            refused.increment();
        }
        boolean wanted = (flags & (TcpFlow.SYN | TcpFlow.ACK)) == TcpFlow.SYN;
        if (!wanted || there == null || tcp.size() + udp.size() >= MOST_FLOWS) {
            send(writer.reset(in.source(), in));
            return;
        }
        SocketChannel channel = null;
        try {
            channel = SocketChannel.open();
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            tcp.put(key, new TcpFlow(this, key, channel, mtu, in, there));
        } catch (IOException | RuntimeException e) {
            if (channel != null) {
                Flow.close(channel, false);
            }
            send(writer.reset(in.source(), in));
        }
    }

    private void udp(Frame in, int from, int to) {
        var key = new TcpFlow.Key(from, in.sourcePort(), to, in.destinationPort());
        UdpFlow flow = udp.get(key);
        if (flow == null) {
            InetSocketAddress there = destination(to, key.remotePort());
            if (there == null) {
                refused.increment();
                boolean gateway = to == Addresses.GATEWAY || to == Addresses.NAME_SERVER;
                send(writer.unreachable(in.source(), in, gateway ? PORT_UNREACHABLE : PROHIBITED));
                return;
            }
            if (tcp.size() + udp.size() >= MOST_FLOWS) {
                return;
            }
            DatagramChannel channel = null;
            try {
                channel = DatagramChannel.open();
                flow = new UdpFlow(this, key, channel, there);
                udp.put(key, flow);
            } catch (IOException | RuntimeException e) {
                if (channel != null) {
                    Flow.close(channel, false);
                }
                return;
            }
        }
        flow.received(in);
    }

    /** A port of the host's that leads to the first guest. */
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
                    open(channel);
                }
            } catch (IOException e) {
                // It went away before it was accepted, or there are no descriptors left: others come.
                return;
            }
        }

        private void open(SocketChannel channel) throws IOException {
            if (tcp.size() + udp.size() >= MOST_FLOWS) {
                Flow.close(channel, true);
                return;
            }
            int own = nextForwardPort;
            nextForwardPort = own == 65_535 ? FIRST_FORWARD_PORT : own + 1;
            var key = new TcpFlow.Key(dhcp.first(), guestPort, Addresses.GATEWAY, own);
            if (tcp.containsKey(key)) {
                Flow.close(channel, true);
                return;
            }
            try {
                channel.configureBlocking(false);
                channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
                tcp.put(key, new TcpFlow(UserNetwork.this, key, channel, mtu));
            } catch (IOException | RuntimeException e) {
                Flow.close(channel, true);
                throw e;
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
