package io.javisor.networking.user;

import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import java.io.IOException;
import java.net.InetSocketAddress;
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
 * guest ─▶ TcpIncoming ─▶ socket ─▶ TcpOutgoing ─▶ guest
 * </pre>
 */
final class TcpFlow implements Flow {
    static final int FIN = 0x01;
    static final int SYN = 0x02;
    static final int RST = 0x04;
    static final int PUSH = 0x08;
    static final int ACK = 0x10;

    /** Bytes that wait in each direction. */
    static final int BUFFER = 256 << 10;

    /** Bytes of payload of what is given to the link at once, to be cut there. */
    static final int LARGEST_SEGMENT = 60_000;

    private static final int SCALE = 3; // the whole buffer is told in 16 bits
    private static final int MOST_WINDOW = 65_535;
    private static final long FIRST_TIMEOUT = 300_000_000L;
    private static final long MOST_TIMEOUT = 10_000_000_000L;
    private static final int MOST_RETRIES = 12;
    private static final long CONNECT_LIMIT = 75_000_000_000L;

    private enum State {
        CONNECTING,
        SYN_RECEIVED,
        SYN_SENT,
        OPEN,
        GONE
    }

    private final Flows flows;
    private final FlowKey key;
    private final SocketChannel channel;
    private final SelectionKey selection;
    private final TcpOutgoing out;
    private final TcpIncoming in = new TcpIncoming();
    private final int ownMss;
    private State state;
    private int mss;
    private boolean scaling;
    private int guestScale;
    private int told; // window that the guest was told of last, in bytes
    private boolean acknowledge;

    private long timeout = FIRST_TIMEOUT;
    private long deadline = Long.MAX_VALUE;
    private int retries;

    /** The guest wants a connection; the socket is about to be {@linkplain #connect connected}. */
    TcpFlow(Flows flows, FlowKey key, SocketChannel channel, Frame syn) throws IOException {
        this(flows, key, channel, State.CONNECTING);
        TcpOptions offered = TcpOptions.of(syn);
        agree(offered, offered.scale() >= 0);
        in.begin(syn.getInt(syn.transport() + 4) + 1);
        out.setWindow(syn.getShort(syn.transport() + 14));
    }

    /** Somebody has connected to a forwarded port; the guest is about to be {@linkplain #ask asked}. */
    TcpFlow(Flows flows, FlowKey key, SocketChannel channel) throws IOException {
        this(flows, key, channel, State.SYN_SENT);
        scaling = true;
    }

    private TcpFlow(Flows flows, FlowKey key, SocketChannel channel, State state) throws IOException {
        this.flows = flows;
        this.key = key;
        this.channel = channel;
        this.state = state;
        ownMss = flows.link().mtu() - (FrameWriter.tcpPayload(key.ipv6(), 0) - Frame.HEADER);
        mss = ownMss;
        out = new TcpOutgoing(flows.initialSequence());
        selection = flows.loop().register(channel, this);
    }

    FlowKey key() {
        return key;
    }

    /** Begins to connect the socket. */
    void connect(InetSocketAddress to) throws IOException {
        setDeadline(NetworkLoop.now() + CONNECT_LIMIT);
        selection.interestOps(SelectionKey.OP_CONNECT);
        if (channel.connect(to)) {
            connected();
        }
    }

    /** Begins to ask the guest. */
    void ask() {
        sendSyn();
    }

    private void agree(TcpOptions offered, boolean scale) {
        mss = Math.min(offered.mss(), ownMss); // a segment fits the guest's link
        scaling = scale;
        guestScale = scale ? offered.scale() : 0;
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
            boolean answersSyn = state == State.SYN_SENT && acknowledged == out.next();
            if (state == State.CONNECTING || answersSyn || sequence == in.expected()) {
                gone();
            }
            return;
        }
        switch (state) {
            case CONNECTING -> {
                return; // it repeats itself
            }
            case SYN_SENT -> {
                if ((flags & (SYN | ACK)) != (SYN | ACK) || acknowledged != out.next()) {
                    return;
                }
                TcpOptions offered = TcpOptions.of(frame);
                agree(offered, offered.scale() >= 0);
                in.begin(sequence + 1);
                out.setWindow(frame.getShort(tcp + 14));
                opened();
                acknowledge = true;
            }
            default -> {
                if ((flags & SYN) != 0) {
                    if (state == State.SYN_RECEIVED) {
                        sendSyn();
                    } else {
                        emit(out.next(), ACK, 0, 0);
                    }
                    return;
                }
                if ((flags & ACK) == 0 || !acknowledged(acknowledged, frame.getShort(tcp + 14), length)) {
                    return;
                }
                boolean fin = (flags & FIN) != 0;
                if (length > 0 || fin) {
                    acknowledge = true;
                    in.take(frame, sequence, length, fin);
                } else if (sequence != in.expected()) {
                    acknowledge = true; // it asks whether anybody is there
                }
            }
        }
        flush();
        pump();
    }

    private void opened() {
        state = State.OPEN;
        out.opened();
        quiet();
        interest();
    }

    /** Takes the guest's word for what it has; false if that word is wrong. */
    private boolean acknowledged(int number, int told16, int length) {
        if (out.isBeyond(number)) {
            acknowledge = true; // of what was never sent
            pump();
            return false;
        }
        if (out.newly(number) < 0) {
            return true;
        }
        if (state == State.SYN_RECEIVED) {
            if (out.newly(number) == 0) {
                return false;
            }
            opened();
        }
        int before = out.window();
        out.setWindow(told16 << guestScale);
        if (out.window() == 0) {
            retries = 0; // it is there, and has no room
        }
        if (out.newly(number) > 0) {
            out.acknowledge(number);
            quiet();
            interest();
        } else if (length == 0 && before == out.window() && out.isLoss()) {
            resend();
        }
        return true;
    }

    private int freeWindow() {
        return scaling ? in.room() >> SCALE << SCALE : Math.min(in.room(), MOST_WINDOW);
    }

    private void emit(int sequence, int flags, int options, int bytes) {
        told = freeWindow();
        int window16 = scaling && (flags & SYN) == 0 ? told >> SCALE : Math.min(told, MOST_WINDOW);
        acknowledge = false;
        flows.link().tcp(key, mss, sequence, (flags & ACK) == 0 ? 0 : in.expected(), flags, window16, options, bytes);
    }

    /** A SYN, or the answer to one. */
    private void sendSyn() {
        Frame frame = flows.link().writer().frame();
        int at = FrameWriter.tcpPayload(key.ipv6(), 0);
        frame.putInt(at, 2 << 24 | 4 << 16 | ownMss);
        int options = 4;
        if (scaling) {
            frame.putInt(at + 4, 1 << 24 | 3 << 16 | 3 << 8 | SCALE);
            options = 8;
        }
        emit(out.first(), state == State.SYN_SENT ? SYN : SYN | ACK, options, 0);
        await();
    }

    /** Sends what may be sent. */
    private void pump() {
        if (state == State.GONE) {
            return;
        }
        if (state == State.OPEN) {
            for (int n = out.sendable(mss); n > 0; n = out.sendable(mss)) {
                segment(n);
            }
            if (out.isFinDue()) {
                emit(out.next(), FIN | ACK, 0, 0);
                out.finSent();
                awaitOnce();
            }
            if (out.hasBytes()) {
                awaitOnce(); // the guest's window may be shut: ask again later
            }
        }
        if (acknowledge) {
            emit(out.next(), ACK, 0, 0);
        }
        if (in.hasEnded() && in.isShut() && out.isFinished()) {
            gone();
        }
    }

    private void segment(int n) {
        boolean last = out.copy(n, flows.link().writer().frame(), FrameWriter.tcpPayload(key.ipv6(), 0));
        emit(out.next(), last ? ACK | PUSH : ACK, 0, n);
        out.sent(n);
        awaitOnce();
    }

    private void awaitOnce() {
        if (deadline == Long.MAX_VALUE) {
            await();
        }
    }

    private void await() {
        setDeadline(NetworkLoop.now() + timeout);
    }

    private void setDeadline(long time) {
        deadline = time;
        flows.loop().timerAt(time);
    }

    /** All is well: timers begin anew. */
    private void quiet() {
        retries = 0;
        timeout = FIRST_TIMEOUT;
        deadline = Long.MAX_VALUE;
        if (out.isFlying()) {
            await();
        }
    }

    private void resend() {
        int n = out.rewind(mss);
        if (n > 0) {
            segment(n);
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
        if (out.hasBytes() || out.isFlying()) {
            awaitOnce();
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
                out.fill(channel);
                interest();
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

    /** Gives the socket what the guest has sent. */
    private void flush() {
        if (state != State.OPEN) {
            return;
        }
        try {
            boolean waited = in.waiting() > 0;
            in.drain(channel);
            if (waited && freeWindow() - told >= BUFFER / 4) {
                acknowledge = true; // the guest has waited for this
            }
            interest();
        } catch (IOException e) {
            abort();
        }
    }

    private void interest() {
        if (state == State.OPEN && selection.isValid()) {
            int read = out.hasRoom() ? SelectionKey.OP_READ : 0;
            selection.interestOps(read | (in.waiting() > 0 ? SelectionKey.OP_WRITE : 0));
        }
    }

    /** Ends it because something went wrong; the guest is told. */
    private void abort() {
        if (state != State.GONE) {
            emit(state == State.CONNECTING ? 0 : out.next(), RST | ACK, 0, 0);
            gone();
        }
    }

    private void gone() {
        state = State.GONE;
        flows.remove(this);
        close();
    }

    @Override
    public void close() {
        state = State.GONE;
        Flow.close(channel, !(in.hasEnded() && out.isFinished()));
    }

    /** For messages. */
    @Override
    public @Nullable String toString() {
        return key + " " + state;
    }
}
