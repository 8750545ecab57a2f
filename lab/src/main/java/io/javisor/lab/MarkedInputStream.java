package io.javisor.lab;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * A stream that a marker ends, over one that goes on. A console port knows no end of file: the session in the lab writes
 * a random marker instead. Gives on each byte at once unless it may be the marker's beginning. For one reader at a time.
 */
final class MarkedInputStream extends InputStream {
    private final InputStream source;
    private final byte[] marker;
    private final Consumer<Boolean> onEnd;
    private final byte[] held;
    private int start;
    private int end;
    private boolean ended;

    /** @param onEnd called once: with false when the marker has been read, with true when the source ended or failed before it */
    MarkedInputStream(InputStream source, byte[] marker, Consumer<Boolean> onEnd) {
        this.source = source;
        this.marker = marker.clone();
        this.onEnd = onEnd;
        this.held = new byte[Math.max(16384, 4 * marker.length)];
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, target.length);
        if (length == 0) {
            return 0;
        }
        int free;
        while ((free = deliverable()) == 0) {
            if (ended) {
                return -1;
            }
            fill();
        }
        int n = Math.min(free, length);
        System.arraycopy(held, start, target, offset, n);
        start += n;
        return n;
    }

    @Override
    public int available() throws IOException {
        return deliverable();
    }

    /** Reads the rest of this stream, in the background, so that the command's writes do not block. */
    @Override
    public void close() {
        if (!ended) {
            Thread.ofVirtual().name("lab-drain").start(() -> {
                try {
                    byte[] rest = new byte[4096];
                    while (read(rest, 0, rest.length) >= 0) {}
                } catch (IOException e) {
                    finish(true);
                }
            });
        }
    }

    private void fill() throws IOException {
        if (start > 0) {
            System.arraycopy(held, start, held, 0, end - start);
            end -= start;
            start = 0;
        }
        int n;
        try {
            n = source.read(held, end, held.length - end);
        } catch (IOException e) {
            finish(true);
            throw e;
        }
        if (n < 0) {
            finish(true);
            return;
        }
        end += n;
        int tail = end - marker.length;
        if (tail >= start && endsWithMarker(marker.length)) {
            end = tail;
            finish(false);
        }
    }

    /** How many of the held bytes cannot belong to the marker. */
    private int deliverable() {
        int count = end - start;
        if (ended) {
            return count;
        }
        for (int n = Math.min(marker.length, count); n > 0; n--) {
            if (endsWithMarker(n)) {
                return count - n;
            }
        }
        return count;
    }

    /** Whether the held bytes end with the marker's first ones. */
    private boolean endsWithMarker(int n) {
        for (int i = 0; i < n; i++) {
            if (held[end - n + i] != marker[i]) {
                return false;
            }
        }
        return true;
    }

    private void finish(boolean early) {
        if (!ended) {
            ended = true;
            onEnd.accept(early);
        }
    }
}
