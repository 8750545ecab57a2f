package io.javisor.api;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** The other side of the protocol, written from its description: packets, acknowledgements, nothing else. */
final class GdbClient implements AutoCloseable {
    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;

    GdbClient(int port) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(60_000);
        in = socket.getInputStream();
        out = socket.getOutputStream();
    }

    /** Sends a request and gives the answer. */
    String ask(String payload) throws IOException {
        send(payload);
        return receive();
    }

    void send(String payload) throws IOException {
        raw("$" + payload + "#" + checksum(payload));
        acknowledged();
    }

    void acknowledged() throws IOException {
        int c = in.read();
        if (c != '+') {
            throw new IOException("not acknowledged: " + c);
        }
    }

    void raw(String bytes) throws IOException {
        out.write(bytes.getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }

    int next() throws IOException {
        return in.read();
    }

    static String checksum(String payload) {
        int sum = payload.chars().sum();
        return "%02x".formatted(sum & 0xFF);
    }

    /** The next packet; acknowledges it. */
    String receive() throws IOException {
        int c = in.read();
        if (c != '$') {
            throw new IOException("no packet: " + c);
        }
        StringBuilder text = new StringBuilder();
        while ((c = in.read()) != '#') {
            if (c < 0) {
                throw new IOException("end in " + text);
            }
            text.append((char) (c == '}' ? in.read() ^ 0x20 : c));
        }
        in.read();
        in.read();
        raw("+");
        return text.toString();
    }

    boolean isAtEnd() throws IOException {
        return in.read() < 0;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
