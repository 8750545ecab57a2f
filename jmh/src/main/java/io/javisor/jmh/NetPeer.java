package io.javisor.jmh;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The host's ends of the loads that a guest's program {@code net} is told to do, one after the other. For one thread. */
final class NetPeer implements AutoCloseable {
    /** Where the guest finds it, and the ports after it. */
    static final int PORT = 5000;

    private static final int SINK = PORT + 1;
    private static final int SOURCE = PORT + 2;
    private static final int DISCARD = PORT + 3;
    private static final int WINDOWS = PORT + 4;
    private static final int ECHO = PORT + 5;
    private static final int BLOCK = 1 << 16;
    private static final int WINDOW = 32;
    private static final Duration PATIENCE = Duration.ofMinutes(4);

    private interface Serving {
        void serve() throws IOException;
    }

    private final List<AutoCloseable> sockets = new ArrayList<>();
    private final ServerSocket orders;
    private final ServerSocket sink;
    private final ServerSocket source;
    private final DatagramSocket discard;
    private final DatagramSocket windows;
    private final DatagramSocket echo;
    private final byte[] block = new byte[BLOCK];
    private volatile NetLoad current = NetLoad.ALL.getFirst();

    NetPeer(InetAddress on) throws IOException {
        orders = server(on, PORT);
        sink = server(on, SINK);
        source = server(on, SOURCE);
        discard = datagrams(on, DISCARD);
        windows = datagrams(on, WINDOWS);
        echo = datagrams(on, ECHO);
        always("sink", this::takeAll);
        always("source", this::giveAll);
        always("discard", () -> discard.receive(packet()));
        always("windows", this::giveWindows);
        always("echo", this::answer);
    }

    private ServerSocket server(InetAddress on, int port) throws IOException {
        var socket = new ServerSocket();
        sockets.add(socket);
        socket.setReuseAddress(true);
        socket.bind(new InetSocketAddress(on, port));
        socket.setSoTimeout((int) PATIENCE.toMillis());
        return socket;
    }

    private DatagramSocket datagrams(InetAddress on, int port) throws IOException {
        var socket = new DatagramSocket(new InetSocketAddress(on, port));
        sockets.add(socket);
        return socket;
    }

    private static void always(String name, Serving what) {
        Thread.ofPlatform().daemon().name("net-" + name).start(() -> {
            try {
                while (true) {
                    what.serve();
                }
            } catch (IOException e) {
                // closed; a load that is under way says so by never ending
            }
        });
    }

    private DatagramPacket packet() {
        return new DatagramPacket(new byte[BLOCK], BLOCK);
    }

    private void takeAll() throws IOException {
        try (Socket guest = accept(sink)) {
            byte[] taken = new byte[BLOCK];
            InputStream in = guest.getInputStream();
            while (in.read(taken) >= 0) {
                // what it is does not matter
            }
        }
    }

    private void giveAll() throws IOException {
        try (Socket guest = accept(source)) {
            OutputStream out = guest.getOutputStream();
            for (long left = current.count(); left > 0; left -= BLOCK) {
                out.write(block, 0, (int) Math.min(left, BLOCK));
            }
        }
    }

    /** Nobody comes for long while other loads are under way. */
    private static Socket accept(ServerSocket at) throws IOException {
        while (true) {
            try {
                return at.accept();
            } catch (java.net.SocketTimeoutException e) {
                if (at.isClosed()) {
                    throw e;
                }
            }
        }
    }

    private void giveWindows() throws IOException {
        DatagramPacket asks = packet();
        windows.receive(asks);
        NetLoad load = current;
        var gives = new DatagramPacket(new byte[load.size()], load.size(), asks.getSocketAddress());
        long left = load.count();
        while (left > 0) {
            for (int i = 0; i < WINDOW && left > 0; i++, left--) {
                windows.send(gives);
            }
            windows.receive(asks);
        }
    }

    private void answer() throws IOException {
        DatagramPacket asks = packet();
        echo.receive(asks);
        echo.send(asks);
    }

    /** Waits for the guest's program. */
    Guest guest() throws IOException {
        Socket socket = orders.accept();
        sockets.add(socket);
        return new Guest(socket);
    }

    /** The connection on which the guest is told what to do. */
    final class Guest {
        private final Socket socket;
        private final BufferedReader answers;

        Guest(Socket socket) throws IOException {
            this.socket = socket;
            socket.setSoTimeout((int) PATIENCE.toMillis());
            answers = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
        }

        /** Has it do a load, and waits until it is over. */
        void run(NetLoad load) throws IOException {
            current = load;
            socket.getOutputStream().write((load.order() + "\n").getBytes(StandardCharsets.US_ASCII));
            String done = answers.readLine();
            if (done == null || Long.parseLong(done) != load.count()) {
                throw new SocketException("the guest did " + done + " of " + load);
            }
        }
    }

    @Override
    public void close() {
        for (AutoCloseable socket : sockets) {
            try {
                socket.close();
            } catch (Exception e) {
                throw new IllegalStateException("closing " + socket, e);
            }
        }
    }
}
