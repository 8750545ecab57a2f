package io.javisor.api.exec;

import io.javisor.vmbus.socket.HvSocket;
import io.javisor.vmbus.socket.HvSocketListener;
import io.javisor.vmbus.socket.HvSockets;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Shells call back through hv_sock, on a port that nobody else has. */
final class SocketCallBack implements CallBack {
    private final HvSockets sockets;

    SocketCallBack(HvSockets sockets) {
        this.sockets = sockets;
    }

    @Override
    public boolean isPossible() {
        return sockets.isAvailable();
    }

    @Override
    public Waiting listen() {
        HvSocketListener listener = sockets.listenAnywhere(1);
        return new Waiting() {
            @Override
            public int port() {
                return listener.port();
            }

            @Override
            public @Nullable Connection accept(Duration limit) throws IOException, InterruptedException {
                HvSocket socket = listener.accept(limit);
                return socket == null ? null : new Stream(socket);
            }

            @Override
            public void close() {
                listener.close();
            }
        };
    }

    private record Stream(HvSocket socket) implements Connection {
        @Override
        public int read(ByteBuffer into) throws IOException {
            return socket.read(into);
        }

        @Override
        public int write(ByteBuffer from, Duration limit) throws IOException {
            return socket.write(from, limit);
        }

        @Override
        public boolean isDrained() throws IOException {
            return socket.isDrained();
        }

        @Override
        public void close() {
            socket.close();
        }
    }
}
