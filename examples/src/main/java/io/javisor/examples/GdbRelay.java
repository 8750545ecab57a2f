package io.javisor.examples;

import io.javisor.lab.Lab;
import io.javisor.lab.LabCommand;
import io.javisor.lab.LabProcess;
import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** Carries connections to a loopback port of this machine to the same port in a lab, which has no network: by a shell inside. */
final class GdbRelay implements AutoCloseable {
    /** Both ways at once; when either side ends, both do. */
    @SuppressWarnings("InlineFormatString") // a program of its own
    private static final String CARRY =
            "exec 3<>/dev/tcp/127.0.0.1/%d || exit 1; { cat <&3; kill $$; } & cat >&3; kill $!";

    private final ServerSocket socket;
    private final Lab inside;

    private GdbRelay(ServerSocket socket, Lab inside) {
        this.socket = socket;
        this.inside = inside;
    }

    static GdbRelay listen(int port, Lab inside) {
        try {
            var socket = new ServerSocket();
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1);
            var relay = new GdbRelay(socket, inside);
            Thread.ofPlatform().daemon().name("gdb relay").start(relay::serve);
            return relay;
        } catch (IOException e) {
            throw new HypervisorException(
                    "gdb-port",
                    "can't listen for gdb on the loopback port " + port + ": " + e.getMessage(),
                    null,
                    0,
                    "choose another port",
                    e);
        }
    }

    private void serve() {
        while (!socket.isClosed()) {
            try (Socket debugger = socket.accept()) {
                debugger.setTcpNoDelay(true);
                carry(debugger);
            } catch (IOException e) {
                // this debugger has gone, or the relay is closed
            }
        }
    }

    private void carry(Socket debugger) throws IOException {
        LabProcess shell = inside.start(LabCommand.of("/bin/bash", "-c", CARRY.formatted(socket.getLocalPort())));
        try {
            InputStream fromGdb = debugger.getInputStream();
            OutputStream toGuest = shell.getOutputStream();
            Thread.ofVirtual().start(() -> pump(fromGdb, toGuest));
            pump(shell.getInputStream(), debugger.getOutputStream());
        } finally {
            shell.destroyForcibly();
        }
    }

    private static void pump(InputStream from, OutputStream to) {
        byte[] buffer = new byte[1 << 14];
        try (to) {
            for (int n; (n = from.read(buffer)) >= 0; ) {
                to.write(buffer, 0, n);
                to.flush();
            }
        } catch (IOException e) {
            // one side has ended, and its end is the other's
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            // nothing is left to do with it
        }
    }
}
