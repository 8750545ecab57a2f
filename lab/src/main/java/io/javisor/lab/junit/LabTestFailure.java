package io.javisor.lab.junit;

import org.jspecify.annotations.Nullable;

/** What a test in the lab threw, with its stack trace there. Reads and prints like the original. */
public final class LabTestFailure extends AssertionError {
    private static final long serialVersionUID = 1L;

    private final String type;

    LabTestFailure(String type, @Nullable String message, @Nullable Throwable cause) {
        super(message, cause);
        this.type = type;
    }

    /** The name of the original's class. */
    public String type() {
        return type;
    }

    @Override
    @SuppressWarnings("OverrideThrowableToString") // A report should begin with the original's class.
    public String toString() {
        return getMessage() == null ? type : type + ": " + getMessage();
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
        // Where it was put together on this side says nothing.
        return this;
    }
}
