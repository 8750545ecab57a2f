package io.javisor.examples;

/** Exit codes of the javisor command: a public interface, kept stable. Those from 64 on follow sysexits.h. */
final class ExitCode {
    /** The guest powered off, or the command did what it was asked. */
    static final int OK = 0;
    /** Javisor itself failed in a way that it does not know. */
    static final int INTERNAL = 1;
    /** {@code disk check} found an image damaged. */
    static final int DAMAGED = 2;
    /** Bad options, or input files that can't be used. */
    static final int USAGE = 64;
    /** This host can't do it; the remedy is printed. */
    static final int HOST = 69;
    /** The guest panicked or triple-faulted. */
    static final int GUEST_FAILED = 70;
    /** The guest reset itself, and {@code --no-reboot} was given. */
    static final int RESET = 71;
    /** The time given with {@code --timeout} is over. */
    static final int TIMEOUT = 75;

    private ExitCode() {}
}
