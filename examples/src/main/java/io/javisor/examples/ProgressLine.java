package io.javisor.examples;

import io.javisor.storage.disk.Progress;
import java.io.PrintWriter;

/** Shows how far a piece of work has got, on one line of a terminal; nothing if there is no terminal. */
final class ProgressLine implements Progress, AutoCloseable {
    private final PrintWriter to;
    private final boolean terminal =
            System.console() != null && System.console().isTerminal();
    private int shown = -1;

    ProgressLine(PrintWriter to) {
        this.to = to;
    }

    @Override
    public void at(long done, long total) {
        int percent = total == 0 ? 100 : (int) (done * 100.0 / total);
        if (terminal && percent != shown) {
            shown = percent;
            to.print("\r" + percent + " %");
            to.flush();
        }
    }

    @Override
    public void close() {
        if (shown >= 0) {
            to.print("\r      \r");
            to.flush();
        }
    }
}
