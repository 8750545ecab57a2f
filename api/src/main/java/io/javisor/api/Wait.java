package io.javisor.api;

import java.util.regex.Pattern;

/** What {@link VirtualMachine#await} waits for. */
public sealed interface Wait {

    /**
     * Text that matches appears on the console, or is there already.
     *
     * @param pattern found anywhere in the console's output
     */
    record ForConsole(Pattern pattern) implements Wait {}

    /** A shell answers on the guest's second serial port, so that {@code exec} works. */
    record ForShell() implements Wait {}

    /** Waits until the console shows this text. */
    static Wait forConsole(String text) {
        return new ForConsole(Pattern.compile(Pattern.quote(text)));
    }

    /** Waits until the console shows something that matches. */
    static Wait forConsole(Pattern pattern) {
        return new ForConsole(pattern);
    }

    /** Waits until {@code exec} works. */
    static Wait forShell() {
        return new ForShell();
    }
}
