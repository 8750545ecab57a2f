package io.javisor.lab.guest;

import io.javisor.vmbus.socket.HvSocket;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;

/** Bytes that look like nothing else, of which every piece says which it is: sent into a socket, and compared as they come back. */
final class EchoedBytes {
    static final int PIECE = 1 << 20;

    private final byte[] noise = new byte[PIECE];

    EchoedBytes() {
        new Random(7).nextBytes(noise);
    }

    private byte[] piece(int index) {
        byte[] piece = noise.clone();
        ByteBuffer.wrap(piece).putInt(0, index).putInt(PIECE / 2, index);
        return piece;
    }

    /** The bytes up to an offset. */
    byte[] prefix(int length) {
        byte[] all = new byte[length];
        for (int at = 0; at < length; at += PIECE) {
            System.arraycopy(piece(at / PIECE), 0, all, at, Math.min(PIECE, length - at));
        }
        return all;
    }

    /** Sends pieces on a thread of its own, then ends this direction. */
    Thread send(HvSocket socket, int pieces) {
        return Thread.ofVirtual().start(() -> {
            try {
                for (int i = 0; i < pieces; i++) {
                    socket.write(ByteBuffer.wrap(piece(i)));
                }
                socket.shutdownOutput();
            } catch (java.io.IOException e) {
                // the reader misses what did not go
            }
        });
    }

    /** Reads until the guest ends its direction; what differs is an error, else the number of bytes. */
    long receive(HvSocket socket, Runnable afterPiece) throws java.io.IOException {
        byte[] got = new byte[PIECE];
        for (int index = 0; ; index++) {
            ByteBuffer into = ByteBuffer.wrap(got);
            while (into.hasRemaining()) {
                if (socket.read(into) < 0) {
                    int last = into.position();
                    check(got, last, index);
                    return (long) index * PIECE + last;
                }
            }
            check(got, PIECE, index);
            afterPiece.run();
        }
    }

    private void check(byte[] got, int length, int index) {
        int at = Arrays.mismatch(got, 0, length, piece(index), 0, length);
        if (at >= 0) {
            throw new AssertionError("byte " + ((long) index * PIECE + at) + " is another");
        }
    }
}
