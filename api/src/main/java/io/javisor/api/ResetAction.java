package io.javisor.api;

/** What a guest's reset does. */
public enum ResetAction {
    /** The machine boots again, as a PC does. */
    RESTART,
    /** The machine stops with {@link Outcome.Reset}. */
    STOP
}
