package io.javisor.api.console;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** A console's output on its way to a stream, on a virtual thread. Closing it passes on what has been printed before, and ends it. */
public final class ConsoleCopy implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(ConsoleCopy.class.getName());
    /** How long a close waits for a stream that takes nothing. */
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    private final ConsoleReader reader;
    private final OutputStream to;
    private final Thread thread;

    ConsoleCopy(ConsoleReader reader, OutputStream to, String name) {
        this.reader = reader;
        this.to = to;
        this.thread = Thread.ofVirtual().name(name + " console").start(this::copy);
    }

    private void copy() {
        byte[] buffer = new byte[8192];
        long told = 0;
        try {
            for (int n; (n = reader.read(buffer)) >= 0; ) {
                long lost = reader.lost();
                if (lost > told) {
                    to.write(("\r\n[" + (lost - told) + " bytes of console output lost]\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
                    told = lost;
                }
                to.write(buffer, 0, n);
                to.flush();
            }
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "console output is no longer copied", e);
        }
    }

    /** Waits until the copy has ended, because the console was closed or the stream failed; false if the time was up first. */
    public boolean await(Duration timeout) throws InterruptedException {
        return thread.join(timeout);
    }

    @Override
    public void close() {
        reader.finish();
        boolean interrupted = false;
        try {
            if (!thread.join(PATIENCE)) {
                thread.interrupt();
            }
        } catch (InterruptedException e) {
            interrupted = true;
            thread.interrupt();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
