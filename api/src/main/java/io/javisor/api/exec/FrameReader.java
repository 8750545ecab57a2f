package io.javisor.api.exec;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Finds frames in what the guest sends, and keeps the end of everything else as evidence. For one thread. */
final class FrameReader {
    private static final int LONGEST_LINE = 256;
    private static final int EVIDENCE = 2048;

    private final Inbox inbox;
    private final byte[] buffer = new byte[4096];
    private int at;
    private int end;
    private final byte[] line = new byte[LONGEST_LINE];
    private int length;
    private boolean tooLong;
    private String nonce = "";
    private final StringBuilder noise = new StringBuilder();
    private boolean noisy;

    FrameReader(Inbox inbox) {
        this.inbox = inbox;
    }

    /** From now on only frames with this nonce count. */
    void expect(String next) {
        nonce = next;
    }

    /** What came besides frames, its last 2 KiB. */
    String noise() {
        return noise.toString() + new String(line, 0, length, StandardCharsets.UTF_8);
    }

    /** Whether something else than frames has come since this was asked last. */
    boolean takeNoisy() {
        boolean was = noisy;
        noisy = false;
        return was;
    }

    /**
     * The next frame, or null if the time is up first.
     *
     * @param deadline by {@link System#nanoTime()}
     * @throws LineClosedException if nothing will come any more
     */
    @Nullable
    Frame next(long deadline) throws InterruptedException {
        while (true) {
            while (at < end) {
                byte b = buffer[at++];
                if (b == '\n') {
                    Frame frame = endLine();
                    if (frame != null) {
                        return frame;
                    }
                } else if (length < LONGEST_LINE) {
                    line[length++] = b;
                } else {
                    tooLong = true;
                }
            }
            if (!fill(deadline)) {
                return null;
            }
        }
    }

    private @Nullable Frame endLine() {
        int n = length > 0 && line[length - 1] == '\r' ? length - 1 : length;
        String text = new String(line, 0, n, StandardCharsets.UTF_8);
        Frame frame = tooLong ? null : Frame.parse(text, nonce);
        if (frame == null && n > 0) {
            noisy = true;
            noise.append(text).append('\n');
            noise.delete(0, Math.max(0, noise.length() - EVIDENCE));
        }
        length = 0;
        tooLong = false;
        return frame;
    }

    /** Reads exactly so many raw bytes, which follow a frame; false if the time is up first. */
    boolean data(byte[] into, int offset, int count, long deadline) throws InterruptedException {
        int done = Math.min(count, end - at);
        System.arraycopy(buffer, at, into, offset, done);
        at += done;
        while (done < count) {
            int n = inbox.take(into, offset + done, count - done, deadline);
            if (n < 0) {
                throw new LineClosedException();
            }
            if (n == 0) {
                return false;
            }
            done += n;
        }
        return true;
    }

    private boolean fill(long deadline) throws InterruptedException {
        int n = inbox.take(buffer, 0, buffer.length, deadline);
        if (n < 0) {
            throw new LineClosedException();
        }
        at = 0;
        end = n;
        return n > 0;
    }

    /** The machine's run is over. */
    static final class LineClosedException extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }
}
