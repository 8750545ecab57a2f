package io.javisor.networking.user;

import io.javisor.networking.frame.Frame;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** What a guest sends over a connection, on its way to the host's socket: taken in order only. For the network's thread. */
final class TcpIncoming {
    private final ByteBuffer waiting = ByteBuffer.allocate(TcpFlow.BUFFER);
    private int expected;
    private boolean ended;
    private boolean outputShut;

    /** The guest's first byte will have this number. */
    void begin(int sequence) {
        expected = sequence;
    }

    /** The number of the guest's next byte. */
    int expected() {
        return expected;
    }

    /** Whether the guest has sent its last byte. */
    boolean hasEnded() {
        return ended;
    }

    /** Whether all of it has gone to the socket, and its end too. */
    boolean isShut() {
        return outputShut;
    }

    /** Bytes that wait for the socket. */
    int waiting() {
        return waiting.position();
    }

    /** Bytes that there is room for. */
    int room() {
        return waiting.remaining();
    }

    /** Takes what is new of a segment, and fits. */
    void take(Frame frame, int sequence, int length, boolean fin) {
        int skip = expected - sequence;
        if (ended || skip < 0 || skip > length) {
            return;
        }
        int bytes = Math.min(length - skip, waiting.remaining());
        waiting.put(frame.bytes(), frame.payload() + skip, bytes);
        expected += bytes;
        if (fin && skip + bytes == length) {
            expected++;
            ended = true;
        }
    }

    /** Gives the socket what it takes. */
    void drain(SocketChannel to) throws IOException {
        if (waiting.position() > 0) {
            waiting.flip();
            to.write(waiting);
            waiting.compact();
        }
        if (ended && waiting.position() == 0 && !outputShut) {
            outputShut = true;
            to.shutdownOutput();
        }
    }
}
