package io.javisor.partition;

import org.jspecify.annotations.Nullable;

/**
 * The one family of errors that Javisor throws at its callers. The message carries the call, the values, the errno's name
 * and what to do about it; the accessors give the same to programs.
 */
public class HypervisorException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String code;
    private final @Nullable String call;
    private final int errno;
    private final @Nullable String remedy;

    /**
     * An error without a system call behind it.
     *
     * @param code stable, lower-case, dash-separated name of the kind of error, for programs ({@code "guest-panic"})
     * @param message what happened, with the values
     * @param remedy what the caller can do, or null if nothing is known
     */
    public HypervisorException(String code, String message, @Nullable String remedy) {
        this(code, message, null, 0, remedy, null);
    }

    /**
     * An error with all that is known of it.
     *
     * @param code stable, lower-case, dash-separated name of the kind of error
     * @param message what happened, with the values
     * @param call the system call or ioctl that failed ({@code "KVM_CREATE_VCPU"}), or null
     * @param errno the kernel's error number, or 0 if there was none
     * @param remedy what the caller can do, or null if nothing is known
     * @param cause the error underneath, or null
     */
    public HypervisorException(
            String code,
            String message,
            @Nullable String call,
            int errno,
            @Nullable String remedy,
            @Nullable Throwable cause) {
        super(remedy == null ? message : message + " (" + remedy + ")", cause);
        this.code = code;
        this.call = call;
        this.errno = errno;
        this.remedy = remedy;
    }

    /** The stable name of the kind of error. */
    public final String code() {
        return code;
    }

    /** The system call or ioctl that failed, or null. */
    public final @Nullable String call() {
        return call;
    }

    /** The kernel's error number, or 0. */
    public final int errno() {
        return errno;
    }

    /** What the caller can do about it, or null. */
    public final @Nullable String remedy() {
        return remedy;
    }
}
