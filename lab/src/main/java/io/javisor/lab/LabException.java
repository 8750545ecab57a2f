package io.javisor.lab;

import io.javisor.partition.HypervisorException;
import org.jspecify.annotations.Nullable;

/** The lab cannot be started, or ended while it was in use. */
public final class LabException extends HypervisorException {
    private static final long serialVersionUID = 1L;

    /**
     * @param code {@code lab-unavailable}: this machine lacks something the lab needs; {@code lab-boot}: it did not come
     *     up; {@code lab-ended}: it ended while in use; {@code lab-busy}: too many commands at once
     * @param message what happened
     * @param remedy what to do, or null if nothing is known
     * @param cause the error underneath, or null
     */
    LabException(String code, String message, @Nullable String remedy, @Nullable Throwable cause) {
        super(code, message, null, 0, remedy, cause);
    }
}
