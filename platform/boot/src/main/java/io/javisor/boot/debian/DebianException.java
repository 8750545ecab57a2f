package io.javisor.boot.debian;

import io.javisor.partition.HypervisorException;
import org.jspecify.annotations.Nullable;

/**
 * A package that cannot be had. {@link #code()} is {@code debian-no-apt} (no apt on this system), {@code debian-unknown} (no such
 * package in apt's lists), {@code debian-fetch} (apt could not fetch it), {@code debian-package} (the package does not hold what it
 * should, or is damaged) or {@code debian-cache} (the cache folder cannot be used).
 */
public final class DebianException extends HypervisorException {
    private static final long serialVersionUID = 1L;

    /**
     * @param code stable name of the kind of error
     * @param message what happened, with the command
     * @param remedy what the caller can do, or null
     * @param cause the error underneath, or null
     */
    public DebianException(String code, String message, @Nullable String remedy, @Nullable Throwable cause) {
        super(code, message, null, 0, remedy, cause);
    }
}
