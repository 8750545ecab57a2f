package io.javisor.examples;

import io.javisor.storage.disk.Progress;
import java.io.Console;
import java.io.PrintWriter;

/** Shows how far a piece of work has got, on one line of a terminal; nothing if there is no terminal. */
final class ProgressLine implements Progress, AutoCloseable {
    private final PrintWriter to;
    private final boolean terminal = isTerminal();
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

    @SuppressWarnings("SystemConsoleNull") // a JVM may still be told to give none (jdk.console)
    private static boolean isTerminal() {
        Console console = System.console();
        return console != null && console.isTerminal();
    }
}
