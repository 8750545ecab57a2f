package io.javisor.vmbus.socket;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** A port of the host on which programs in the guest may connect. Safe from any thread. */
public final class HvSocketListener implements AutoCloseable {
    private final HvSockets sockets;
    private final int port;
    private final int backlog;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<HvSocket> ready = new ArrayDeque<>(); // guarded by the lock, like what follows
    private int opening;
    private boolean closed;

    HvSocketListener(HvSockets sockets, int port, int backlog) {
        this.sockets = sockets;
        this.port = port;
        this.backlog = backlog;
    }

    /** The port; an unsigned number. */
    public int port() {
        return port;
    }

    /**
     * Waits for a connection. Blocks; good for virtual threads.
     *
     * @throws ClosedChannelException if the listener is closed, now or meanwhile
     */
    public HvSocket accept() throws IOException, InterruptedException {
        HvSocket socket = accept(Duration.ofNanos(Long.MAX_VALUE));
        if (socket == null) {
            throw new ClosedChannelException();
        }
        return socket;
    }

    /**
     * Waits for a connection for a while.
     *
     * @return null if none came
     * @throws ClosedChannelException if the listener is closed, now or meanwhile
     */
    public @Nullable HvSocket accept(Duration limit) throws IOException, InterruptedException {
        long left = limit.toNanos();
        lock.lockInterruptibly();
        try {
            while (ready.isEmpty() && !closed && left > 0) {
                left = changed.awaitNanos(left);
            }
            if (closed) {
                throw new ClosedChannelException();
            }
            return ready.poll();
        } finally {
            lock.unlock();
        }
    }

    /** Takes a place for a connection that is coming in; false if there is none. */
    boolean reserve() {
        lock.lock();
        try {
            if (closed || opening + ready.size() >= backlog) {
                return false;
            }
            opening++;
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** A connection for which a place was taken is there, or (null) will not come. */
    void arrived(@Nullable HvSocket socket) {
        boolean refused = false;
        lock.lock();
        try {
            opening--;
            if (socket != null) {
                refused = closed;
                if (!closed) {
                    ready.add(socket);
                    changed.signal();
                }
            }
        } finally {
            lock.unlock();
        }
        if (refused && socket != null) {
            socket.close();
        }
    }

    /** Stops listening, and closes connections that nobody accepted. Idempotent. */
    @Override
    public void close() {
        ArrayDeque<HvSocket> unaccepted;
        lock.lock();
        try {
            closed = true;
            unaccepted = new ArrayDeque<>(ready);
            ready.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        sockets.stopped(this);
        unaccepted.forEach(HvSocket::close);
    }
}
