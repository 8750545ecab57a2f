package io.javisor.networking.user;

import io.javisor.networking.frame.Frame;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/**
 * What the host's socket gives, on its way to the guest: a ring that begins with the oldest byte that the guest has not
 * acknowledged, and the numbers of RFC 9293, 3.3.1. For the network's thread.
 *
 * <pre>
 * unacknowledged        next               unacknowledged + used
 *        ├── on their way ─┼── not sent yet ─────────┤
 *        ├── may be on their way: window ─────┤
 * </pre>
 */
final class TcpOutgoing {
    private final byte[] ring = new byte[TcpFlow.BUFFER];
    private final int first;
    private int unacknowledged;
    private int next;
    private int greatest; // ever sent
    private int window;
    private int duplicates;
    private int head; // where the oldest byte is
    private int used;
    private boolean ended;
    private boolean finSent;
    private boolean finAcknowledged;

    /**
     * @param first number of the SYN
     */
    TcpOutgoing(int first) {
        this.first = first;
        unacknowledged = first;
        next = first + 1;
        greatest = next;
    }

    int first() {
        return first;
    }

    int next() {
        return next;
    }

    int window() {
        return window;
    }

    void setWindow(int bytes) {
        window = bytes;
    }

    /** Whether something is on its way. */
    boolean isFlying() {
        return greatest != unacknowledged;
    }

    /** Whether there are bytes that the guest has not acknowledged. */
    boolean hasBytes() {
        return used > 0;
    }

    /** Whether the socket may be read. */
    boolean hasRoom() {
        return !ended && used < ring.length;
    }

    /** Whether the guest knows that there is no more. */
    boolean isFinished() {
        return finAcknowledged;
    }

    // What the guest says

    /** The guest has taken the SYN. */
    void opened() {
        unacknowledged = first + 1;
    }

    /** Whether a guest acknowledges what was never sent. */
    boolean isBeyond(int number) {
        return number - greatest > 0;
    }

    /** How much more than before is acknowledged; negative if somebody said more already. */
    int newly(int number) {
        return number - unacknowledged;
    }

    /** The guest has everything up to a number, which is new. */
    void acknowledge(int number) {
        int newly = newly(number);
        int bytes = Math.min(newly, used);
        head = (head + bytes) % ring.length;
        used -= bytes;
        finAcknowledged |= newly > bytes;
        unacknowledged = number;
        if (next - number < 0) {
            next = number;
            finSent = finAcknowledged;
        }
        duplicates = 0;
    }

    /** The guest has said the same again; true if it has done so three times, which means a loss (RFC 5681, 3.2). */
    boolean isLoss() {
        return isFlying() && ++duplicates == 3;
    }

    // What is to be sent

    private int flyingBytes() {
        return next - unacknowledged - (finSent && !finAcknowledged ? 1 : 0);
    }

    /** Bytes of the next segment; 0 if there is none, or only a crumb while others are on their way. */
    int sendable(int mss) {
        int flying = flyingBytes();
        int waiting = used - flying;
        int n = Math.min(Math.min(waiting, window - flying), TcpFlow.LARGEST_SEGMENT);
        return n <= 0 || (n < mss && n < waiting && flying > 0) ? 0 : n;
    }

    /** Whether the end is the next to be sent. */
    boolean isFinDue() {
        return ended && !finSent && next - unacknowledged == used;
    }

    /** The end has been sent. */
    void finSent() {
        finSent = true;
        sent(1);
    }

    /** Begins again with what has been acknowledged; returns bytes to send at once, of which there may be none. */
    int rewind(int mss) {
        next = unacknowledged;
        finSent = finAcknowledged;
        return used == 0 ? 0 : Math.min(used, window == 0 ? 1 : Math.min(mss, window));
    }

    /** Copies the next bytes; true if they are the last that are there. */
    boolean copy(int n, Frame to, int at) {
        int flying = flyingBytes();
        int from = (head + flying) % ring.length;
        int run = Math.min(n, ring.length - from);
        System.arraycopy(ring, from, to.bytes(), at, run);
        System.arraycopy(ring, 0, to.bytes(), at + run, n - run);
        return flying + n == used;
    }

    /** So much has been sent. */
    void sent(int numbers) {
        next += numbers;
        if (next - greatest > 0) {
            greatest = next;
        }
    }

    /** Reads from the socket what there is room for. */
    void fill(SocketChannel from) throws IOException {
        while (hasRoom()) {
            int tail = (head + used) % ring.length;
            int n = from.read(ByteBuffer.wrap(ring, tail, Math.min(ring.length - used, ring.length - tail)));
            if (n < 0) {
                ended = true;
                return;
            }
            if (n == 0) {
                return;
            }
            used += n;
        }
    }
}
