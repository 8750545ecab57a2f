package io.javisor.examples;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/**
 * What one of several machines says, line by line, each with the machine's name before it: {@code web| listening}. Lines of several
 * that write to the same stream are not mixed. Safe from any thread.
 */
final class LabelledLines extends OutputStream {
    private static final int MOST_BYTES = 4096; // a longer line is given in pieces

    private final byte[] label;
    private final OutputStream to;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    LabelledLines(String name, OutputStream to) {
        this.to = to;
        label = (name + "| ").getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public synchronized void write(int b) throws IOException {
        if (b == '\r') {
            return; // consoles end lines with both
        }
        if (b != '\n') {
            line.write(b);
        }
        if (b == '\n' || line.size() >= MOST_BYTES) {
            give();
        }
    }

    @Override
    public synchronized void write(byte[] bytes, int from, int length) throws IOException {
        for (int i = from; i < from + length; i++) {
            write(bytes[i]);
        }
    }

    private void give() throws IOException {
        line.write('\n');
        synchronized (to) {
            to.write(label);
            line.writeTo(to);
            to.flush();
        }
        line.reset();
    }

    /** Gives what is left, which had no end. What it writes to stays open. */
    synchronized void finish() throws IOException {
        if (line.size() > 0) {
            give();
        }
    }
}
