package io.javisor.kvm.gdb;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Packets over a byte stream, both ways.
 *
 * <pre>
 *   $ payload # checksum      the checksum is the payload's sum modulo 256, two hexadecimal digits
 *   + -                       taken; send it again. Not used any more once gdb asks for that
 *   0x03                      ^C, outside of packets
 *   } byte                    in a payload: the byte is meant with bit 5 turned over
 * </pre>
 *
 * <p>One thread reads, one writes.
 */
final class PacketStream {
    /** Most bytes of a payload, as gdb is told: enough for all registers, and pages of memory at a time. */
    static final int MOST_BYTES = 0x4000;

    private static final int INTERRUPT = 3;
    private static final int ESCAPE = '}';
    private static final int ESCAPED = 0x20;

    private final InputStream in;
    private final OutputStream out;
    private final Object writing = new Object();
    private volatile boolean acknowledged = true;
    private byte[] last = {};

    PacketStream(InputStream in, OutputStream out) {
        this.in = in;
        this.out = out;
    }

    /**
     * What came.
     *
     * @param interrupt ^C; the payload is empty then
     */
    @SuppressWarnings("ArrayRecordComponent") // compared by nobody
    record Packet(boolean interrupt, byte[] payload) {
        /** The payload as text, byte by byte. */
        String text() {
            return new String(payload, StandardCharsets.ISO_8859_1);
        }
    }

    /** The next packet or ^C; null at the stream's end, and where what comes is no packet that we allow. */
    @Nullable
    Packet read() throws IOException {
        while (true) {
            int c = in.read();
            switch (c) {
                case -1 -> {
                    return null;
                }
                case INTERRUPT -> {
                    return new Packet(true, new byte[0]);
                }
                case '-' -> sendAgain();
                case '$' -> {
                    Packet packet = payload();
                    if (packet != null) {
                        return packet;
                    }
                }
                default -> {
                    // acknowledgements, and noise
                }
            }
        }
    }

    /** A packet from its second byte on; null if it has to be sent again. */
    private @Nullable Packet payload() throws IOException {
        var bytes = new ByteArrayOutputStream();
        int sum = 0;
        int c;
        while ((c = need()) != '#') {
            sum += c;
            if (c == ESCAPE) {
                c = need();
                sum += c;
                c ^= ESCAPED;
            }
            if (bytes.size() >= MOST_BYTES) {
                throw new IOException("gdb sent a packet of more than " + MOST_BYTES + " bytes");
            }
            bytes.write(c);
        }
        int told = Hex.digit(need()) << 4 | Hex.digit(need());
        if (acknowledged) {
            boolean right = told == (sum & 0xFF);
            sendRaw(right ? '+' : '-');
            if (!right) {
                return null;
            }
        }
        return new Packet(false, bytes.toByteArray());
    }

    private int need() throws IOException {
        int c = in.read();
        if (c < 0) {
            throw new IOException("gdb ended in the middle of a packet");
        }
        return c;
    }

    /** From the packet after this one on, nothing is acknowledged. */
    void endAcknowledgements() {
        acknowledged = false;
    }

    void write(String payload) throws IOException {
        write(payload.getBytes(StandardCharsets.ISO_8859_1));
    }

    void write(byte[] payload) throws IOException {
        var packet = new ByteArrayOutputStream(payload.length + 8);
        packet.write('$');
        int sum = 0;
        for (byte b : payload) {
            int c = b & 0xFF;
            // '*' begins a run length in answers.
            if (c == '$' || c == '#' || c == ESCAPE || c == '*') {
                packet.write(ESCAPE);
                sum += ESCAPE;
                c ^= ESCAPED;
            }
            packet.write(c);
            sum += c;
        }
        packet.write('#');
        packet.writeBytes(Hex.of((byte) sum).getBytes(StandardCharsets.ISO_8859_1));
        synchronized (writing) {
            last = packet.toByteArray();
            out.write(last);
            out.flush();
        }
    }

    private void sendAgain() throws IOException {
        synchronized (writing) {
            if (acknowledged) {
                out.write(last);
                out.flush();
            }
        }
    }

    private void sendRaw(int c) throws IOException {
        synchronized (writing) {
            out.write(c);
            out.flush();
        }
    }
}
