package io.javisor.lab.guest;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Random;

/** Serves as many bytes as one likes that are always the same: {@code /bytes/N}. Each client has a thread. */
final class FileServer implements AutoCloseable {
    private static final int BLOCK = 1 << 16;

    private final ServerSocket server;

    FileServer(InetAddress on) throws IOException {
        server = new ServerSocket();
        server.setReuseAddress(true);
        server.bind(new InetSocketAddress(on, 0));
        Thread.ofVirtual().start(this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    private void accept() {
        try {
            while (true) {
                Socket client = server.accept();
                Thread.ofVirtual().start(() -> serve(client));
            }
        } catch (IOException e) {
            // closed
        }
    }

    private void serve(Socket client) {
        try (client) {
            var in = new BufferedReader(new InputStreamReader(client.getInputStream(), StandardCharsets.US_ASCII));
            String[] words = in.readLine().split(" ", -1);
            for (String line = in.readLine(); line != null && !line.isEmpty(); ) {
                line = in.readLine();
            }
            long count = Long.parseLong(words[1].substring("/bytes/".length()));
            OutputStream out = client.getOutputStream();
            head(out, count);
            var random = new Random(count);
            byte[] block = new byte[BLOCK];
            for (long left = count; left > 0; left -= BLOCK) {
                random.nextBytes(block);
                out.write(block, 0, (int) Math.min(left, BLOCK));
            }
        } catch (IOException e) {
            // The client has gone.
            return;
        }
    }

    private static void head(OutputStream out, long bytes) throws IOException {
        out.write(("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + bytes + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII));
    }

    /** SHA-256 of {@code /bytes/N}. */
    static String sum(long count) throws NoSuchAlgorithmException {
        var digest = MessageDigest.getInstance("SHA-256");
        var random = new Random(count);
        byte[] block = new byte[BLOCK];
        for (long left = count; left > 0; left -= BLOCK) {
            random.nextBytes(block);
            digest.update(block, 0, (int) Math.min(left, BLOCK));
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
