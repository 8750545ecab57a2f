package io.javisor.api.exec;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;

/** A shell that called back: its line, and the session over it. Ends for good when the connection does. */
final class SocketShell implements GuestLine, AutoCloseable {
    private final CallBack.Connection connection;
    private final Inbox inbox = new Inbox();
    private final ShellSession session;

    /**
     * Takes a connection over, and reads from it on a virtual thread.
     *
     * @param identity see {@link ShellSession}
     */
    SocketShell(CallBack.Connection connection, String identity, String name) {
        this.connection = connection;
        session = new ShellSession(this, new FrameReader(inbox), identity, true);
        Thread.ofVirtual().name(name + " exec").start(this::pump);
    }

    ShellSession session() {
        return session;
    }

    private void pump() {
        ByteBuffer buffer = ByteBuffer.allocate(16 * 1024);
        try {
            for (int n = 0; n >= 0; n = connection.read(buffer.clear())) {
                inbox.put(buffer.array(), 0, n);
            }
        } catch (IOException | InterruptedException e) {
            // The end, as any other: whoever waits for an answer learns of it below.
        } finally {
            inbox.close();
        }
    }

    @Override
    public int send(byte[] bytes, int offset, int length, long timeoutNanos) throws InterruptedException {
        try {
            return connection.write(
                    ByteBuffer.wrap(bytes, offset, length), Duration.ofNanos(Math.max(0, timeoutNanos)));
        } catch (InterruptedIOException e) {
            Thread.interrupted();
            throw new InterruptedException();
        } catch (IOException e) {
            throw new FrameReader.LineClosedException();
        }
    }

    @Override
    public int unread() throws InterruptedException {
        try {
            return connection.isDrained() ? 0 : 1;
        } catch (InterruptedIOException e) {
            Thread.interrupted();
            throw new InterruptedException();
        } catch (IOException e) {
            throw new FrameReader.LineClosedException();
        }
    }

    /** Ends the shell in the guest, and what it runs. Idempotent. */
    @Override
    public void close() {
        connection.close();
        inbox.close();
    }
}
