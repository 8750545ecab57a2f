package io.javisor.networking.user;

import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/**
 * A TCP connection between a guest and somebody whom the gateway stands for: the gateway's end of it (RFC 9293), and the socket
 * of the host's that goes on from there. Segments are taken in order only; what the guest does not acknowledge is sent again
 * from there on. For the network's thread.
 *
 * <pre>
 * guest's SYN ─▶ CONNECTING ─socket is connected─▶ SYN_RECEIVED ─▶ OPEN ─both ends closed─▶ gone
 * accepted socket ─▶ SYN_SENT ────────────────────────────────────▶
 * </pre>
 */
final class TcpFlow implements Flow {
    static final int FIN = 0x01;
    static final int SYN = 0x02;
    static final int RST = 0x04;
    static final int PUSH = 0x08;
    static final int ACK = 0x10;

    /** Bytes that wait in each direction. */
    private static final int BUFFER = 256 << 10;

    private static final int LARGEST_SEGMENT = 60_000;
    private static final int SCALE = 3; // the whole buffer is told in 16 bits
    private static final long FIRST_TIMEOUT = 300_000_000L;
    private static final long MOST_TIMEOUT = 10_000_000_000L;
    private static final int MOST_RETRIES = 12;
    private static final long CONNECT_LIMIT = 75_000_000_000L;
    private static final int DEFAULT_MSS = 536;

    private enum State {
        CONNECTING,
        SYN_RECEIVED,
        SYN_SENT,
        OPEN,
        GONE
    }

    private final UserNetwork network;
    private final Key key;
    private final SocketChannel channel;
    private final SelectionKey selection;
    private final ByteBuffer toHost = ByteBuffer.allocate(BUFFER);
    private final byte[] toGuest = new byte[BUFFER];
    private final int ownMss;
    private State state;
    private int mss = DEFAULT_MSS;
    private boolean scaling;
    private int guestScale;

    private int first; // initial sequence number
    private int unacknowledged;
    private int next;
    private int greatest; // ever sent
    private int window;
    private int duplicates;
    private int head; // of the ring: the byte of sequence number "unacknowledged"
    private int used;
    private boolean hostClosed;
    private boolean finSent;
    private boolean finAcknowledged;

    private int expected; // of the guest
    private int told; // window that the guest was told of last, in bytes
    private boolean guestClosed;
    private boolean outputShut;
    private boolean acknowledge;

    private long timeout = FIRST_TIMEOUT;
    private long deadline = Long.MAX_VALUE;
    private int retries;

    /**
     * Who speaks to whom.
     *
     * @param guest address
     * @param guestPort port
     * @param remote address, as the guest knows it
     * @param remotePort port
     */
    record Key(int guest, int guestPort, int remote, int remotePort) {}

    /** The guest wants a connection; the socket is about to be connected. */
    TcpFlow(UserNetwork network, Key key, SocketChannel channel, int mtu, Frame syn, InetSocketAddress to)
            throws IOException {
        this(network, key, channel, mtu, State.CONNECTING);
        options(syn);
        expected = syn.getInt(syn.transport() + 4) + 1;
        window = syn.getShort(syn.transport() + 14);
        deadline = network.now() + CONNECT_LIMIT;
        network.timerAt(deadline);
        selection.interestOps(SelectionKey.OP_CONNECT);
        if (channel.connect(to)) {
            connected();
        }
    }

    /** Somebody has connected to a forwarded port; the guest is about to be asked. */
    TcpFlow(UserNetwork network, Key key, SocketChannel channel, int mtu) throws IOException {
        this(network, key, channel, mtu, State.SYN_SENT);
        scaling = true;
        sendSyn();
    }

    private TcpFlow(UserNetwork network, Key key, SocketChannel channel, int mtu, State state) throws IOException {
        this.network = network;
        this.key = key;
        this.channel = channel;
        this.state = state;
        ownMss = mtu - 40;
        first = network.initialSequence();
        unacknowledged = first;
        next = first + 1;
        greatest = next;
        selection = network.register(channel, this);
    }

    Key key() {
        return key;
    }

    int guest() {
        return key.guest;
    }

    int guestPort() {
        return key.guestPort;
    }

    int remote() {
        return key.remote;
    }

    int remotePort() {
        return key.remotePort;
    }

    /** Payload of a segment that fits the guest's link. */
    int mss() {
        return Math.min(mss, ownMss);
    }

    private void options(Frame syn) {
        boolean scaled = false;
        for (int at = syn.transport() + 20; at < syn.payload(); ) {
            int kind = syn.getByte(at);
            if (kind == 0) {
                break;
            }
            if (kind == 1) {
                at++;
                continue;
            }
            int length = at + 1 < syn.payload() ? syn.getByte(at + 1) : 0;
            if (length < 2 || at + length > syn.payload()) {
                break;
            }
            if (kind == 2 && length == 4) {
                mss = Math.max(64, syn.getShort(at + 2));
            } else if (kind == 3 && length == 3) {
                scaled = true;
                guestScale = Math.min(14, syn.getByte(at + 2));
            }
            at += length;
        }
        if (state == State.SYN_SENT) {
            scaling &= scaled;
        } else {
            scaling = scaled;
        }
        if (!scaling) {
            guestScale = 0;
        }
    }

    // The guest's side

    /** A segment of the guest's. */
    void received(Frame frame) {
        int tcp = frame.transport();
        int sequence = frame.getInt(tcp + 4);
        int acknowledged = frame.getInt(tcp + 8);
        int flags = frame.getByte(tcp + 13);
        int length = Math.max(0, Checksums.transportLength(frame) - (frame.payload() - tcp));
        if (state == State.GONE) {
            return;
        }
        if ((flags & RST) != 0) {
            boolean answersSyn = state == State.SYN_SENT && acknowledged == next;
            if (state == State.CONNECTING || answersSyn || sequence == expected) {
                gone();
            }
            return;
        }
        switch (state) {
            case CONNECTING -> {
                return; // it repeats itself
            }
            case SYN_SENT -> {
                if ((flags & (SYN | ACK)) != (SYN | ACK) || acknowledged != next) {
                    return;
                }
                options(frame);
                expected = sequence + 1;
                window = frame.getShort(tcp + 14);
                opened(acknowledged);
                acknowledge = true;
            }
            default -> {
                if ((flags & SYN) != 0) {
                    if (state == State.SYN_RECEIVED) {
                        sendSyn();
                    } else {
                        emit(next, ACK, 0, 0);
                    }
                    return;
                }
                if ((flags & ACK) == 0 || !acknowledged(acknowledged, frame.getShort(tcp + 14), length)) {
                    return;
                }
                data(frame, sequence, length, (flags & FIN) != 0);
            }
        }
        flush();
        pump();
    }

    private void opened(int acknowledged) {
        state = State.OPEN;
        unacknowledged = acknowledged;
        quiet();
        interest();
    }

    private boolean acknowledged(int number, int told16, int length) {
        int newly = number - unacknowledged;
        if (number - greatest > 0) {
            acknowledge = true; // of what was never sent
            pump();
            return false;
        }
        if (newly < 0) {
            return true;
        }
        if (state == State.SYN_RECEIVED) {
            if (newly == 0) {
                return false;
            }
            opened(first + 1);
            newly = number - unacknowledged;
        }
        int before = window;
        window = told16 << guestScale;
        if (window == 0) {
            retries = 0; // it is there, and has no room
        }
        if (newly > 0) {
            int bytes = Math.min(newly, used);
            head = (head + bytes) % BUFFER;
            used -= bytes;
            finAcknowledged |= newly > bytes;
            unacknowledged = number;
            if (next - number < 0) {
                next = number;
                finSent = finAcknowledged;
            }
            duplicates = 0;
            quiet();
            interest();
        } else if (length == 0 && greatest != unacknowledged && before == window && ++duplicates == 3) {
            resend();
        }
        return true;
    }

    private void data(Frame frame, int sequence, int length, boolean fin) {
        if (length == 0 && !fin) {
            if (sequence != expected) {
                acknowledge = true; // it asks whether anybody is there
            }
            return;
        }
        acknowledge = true;
        int skip = expected - sequence;
        if (guestClosed || skip < 0 || skip > length) {
            return;
        }
        int bytes = Math.min(length - skip, toHost.remaining());
        toHost.put(frame.bytes(), frame.payload() + skip, bytes);
        expected += bytes;
        if (fin && skip + bytes == length) {
            expected++;
            guestClosed = true;
        }
    }

    private int freeWindow() {
        int free = toHost.remaining();
        return scaling ? free >> SCALE << SCALE : Math.min(free, 65_535);
    }

    private void emit(int sequence, int flags, int options, int bytes) {
        told = freeWindow();
        int window16 = scaling && (flags & SYN) == 0 ? told >> SCALE : Math.min(told, 65_535);
        acknowledge = false;
        network.emit(this, sequence, (flags & ACK) == 0 ? 0 : expected, flags, window16, options, bytes);
    }

    /** A SYN, or the answer to one. */
    private void sendSyn() {
        Frame frame = network.writer().frame();
        int at = FrameWriter.tcpPayload(0);
        frame.putInt(at, 2 << 24 | 4 << 16 | ownMss);
        int options = 4;
        if (scaling) {
            frame.putInt(at + 4, 1 << 24 | 3 << 16 | 3 << 8 | SCALE);
            options = 8;
        }
        emit(first, state == State.SYN_SENT ? SYN : SYN | ACK, options, 0);
        await();
    }

    /** Sends what may be sent. */
    private void pump() {
        if (state == State.GONE) {
            return;
        }
        if (state == State.OPEN) {
            while (true) {
                int flying = next - unacknowledged - (finSent && !finAcknowledged ? 1 : 0);
                int waiting = used - flying;
                int n = Math.min(Math.min(waiting, window - flying), LARGEST_SEGMENT);
                if (n <= 0 || (n < mss() && n < waiting && flying > 0)) {
                    break; // not in crumbs
                }
                segment(flying, n);
            }
            int flying = next - unacknowledged;
            if (hostClosed && !finSent && flying == used) {
                emit(next, FIN | ACK, 0, 0);
                finSent = true;
                next++;
                advance();
            }
            if (used > 0 && deadline == Long.MAX_VALUE) {
                await(); // the guest's window is shut: ask again later
            }
        }
        if (acknowledge) {
            emit(next, ACK, 0, 0);
        }
        if (guestClosed && outputShut && finAcknowledged) {
            gone();
        }
    }

    private void segment(int flying, int n) {
        Frame frame = network.writer().frame();
        int from = (head + flying) % BUFFER;
        int run = Math.min(n, BUFFER - from);
        int to = FrameWriter.tcpPayload(0);
        System.arraycopy(toGuest, from, frame.bytes(), to, run);
        System.arraycopy(toGuest, 0, frame.bytes(), to + run, n - run);
        emit(unacknowledged + flying, flying + n == used ? ACK | PUSH : ACK, 0, n);
        next += n;
        advance();
    }

    private void advance() {
        if (next - greatest > 0) {
            greatest = next;
        }
        if (deadline == Long.MAX_VALUE) {
            await();
        }
    }

    private void await() {
        deadline = network.now() + timeout;
        network.timerAt(deadline);
    }

    /** All is well: timers begin anew. */
    private void quiet() {
        retries = 0;
        timeout = FIRST_TIMEOUT;
        deadline = Long.MAX_VALUE;
        if (greatest != unacknowledged) {
            await();
        }
    }

    private void resend() {
        next = unacknowledged;
        finSent = finAcknowledged;
        if (used > 0) {
            segment(0, Math.min(used, window == 0 ? 1 : Math.min(mss(), window)));
        }
        pump();
    }

    @Override
    public long deadline() {
        return deadline;
    }

    @Override
    public void timedOut() {
        if (state == State.CONNECTING || ++retries > MOST_RETRIES) {
            abort();
            return;
        }
        timeout = Math.min(2 * timeout, MOST_TIMEOUT);
        deadline = Long.MAX_VALUE;
        if (state == State.OPEN) {
            resend();
        } else {
            sendSyn();
        }
        if (deadline == Long.MAX_VALUE && (used > 0 || greatest != unacknowledged)) {
            await();
        }
    }

    // The host's side

    @Override
    public void ready() {
        try {
            if (selection.isConnectable() && channel.finishConnect()) {
                connected();
            }
            if (selection.isValid() && selection.isReadable()) {
                read();
            }
            flush();
            pump();
        } catch (IOException e) {
            abort();
        }
    }

    private void connected() {
        state = State.SYN_RECEIVED;
        selection.interestOps(0);
        sendSyn();
    }

    private void read() throws IOException {
        while (used < BUFFER) {
            int tail = (head + used) % BUFFER;
            int n = channel.read(ByteBuffer.wrap(toGuest, tail, Math.min(BUFFER - used, BUFFER - tail)));
            if (n < 0) {
                hostClosed = true;
                break;
            }
            if (n == 0) {
                break;
            }
            used += n;
        }
        interest();
    }

    /** Gives the socket what the guest has sent. */
    private void flush() {
        if (state != State.OPEN) {
            return;
        }
        try {
            if (toHost.position() > 0) {
                toHost.flip();
                channel.write(toHost);
                toHost.compact();
                if (freeWindow() - told >= BUFFER / 4) {
                    acknowledge = true; // it has waited for this
                }
            }
            if (guestClosed && toHost.position() == 0 && !outputShut) {
                outputShut = true;
                channel.shutdownOutput();
            }
            interest();
        } catch (IOException e) {
            abort();
        }
    }

    private void interest() {
        if (state == State.OPEN && selection.isValid()) {
            int read = !hostClosed && used < BUFFER ? SelectionKey.OP_READ : 0;
            selection.interestOps(read | (toHost.position() > 0 ? SelectionKey.OP_WRITE : 0));
        }
    }

    /** Ends it because something went wrong; the guest is told. */
    private void abort() {
        if (state != State.GONE) {
            emit(state == State.CONNECTING ? 0 : next, RST | ACK, 0, 0);
            gone();
        }
    }

    private void gone() {
        state = State.GONE;
        network.remove(this);
        close();
    }

    @Override
    public void close() {
        state = State.GONE;
        Flow.close(channel, !(guestClosed && finAcknowledged));
    }

    /** For messages. */
    @Override
    public @Nullable String toString() {
        return key + " " + state;
    }
}
