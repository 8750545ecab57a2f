package io.javisor.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The line to the agent in the lab: short lines of ASCII both ways. Whoever holds it holds the lab: when it breaks, the
 * agent powers off. QEMU calls us, so that nothing has to wait for its socket to appear. Safe for use by several threads.
 */
final class Control implements AutoCloseable {
    private final ServerSocketChannel server;
    private volatile @Nullable SocketChannel line;
    private final BlockingQueue<String> outgoing = new LinkedBlockingQueue<>();
    private volatile boolean closed;

    Control(Path socket) throws IOException {
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
    }

    /** Waits for QEMU's call and tells it, then gives each line to the listener until the lab ends, then the end. */
    void listen(Runnable onCall, Consumer<String> onLine, Runnable onEnd) {
        Thread.ofPlatform().daemon().name("lab-control").start(() -> {
            try (SocketChannel channel = server.accept();
                    BufferedReader reader =
                            new BufferedReader(Channels.newReader(channel, StandardCharsets.US_ASCII))) {
                line = channel;
                Thread writer = Thread.ofVirtual().name("lab-control-writer").start(() -> write(channel));
                send("hello");
                onCall.run();
                try {
                    for (String text; (text = reader.readLine()) != null; ) {
                        onLine.accept(text);
                    }
                } finally {
                    writer.interrupt();
                }
            } catch (IOException e) {
                // The lab has ended, or we close: the same to the listener.
                closed = true;
            } finally {
                closed = true;
                onEnd.run();
            }
        });
    }

    /**
     * Sends a line, soon; in vain if the lab has ended, which the listener is told. Not by the calling thread: were that
     * interrupted, its write would close the line.
     */
    void send(String text) {
        outgoing.add(text);
    }

    private void write(SocketChannel channel) {
        try {
            while (!closed) {
                ByteBuffer bytes = ByteBuffer.wrap((outgoing.take() + "\n").getBytes(StandardCharsets.US_ASCII));
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
            }
        } catch (IOException | InterruptedException e) {
            closed = true;
        }
    }

    @Override
    public void close() {
        closed = true;
        try {
            server.close();
            SocketChannel channel = line;
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            throw new LabException("lab-ended", "the lab's control channel does not close", null, e);
        }
    }
}
