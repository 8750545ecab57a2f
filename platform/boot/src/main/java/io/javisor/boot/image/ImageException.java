package io.javisor.boot.image;

import io.javisor.partition.HypervisorException;
import org.jspecify.annotations.Nullable;

/**
 * An image that cannot be made: a damaged or hostile archive, a missing module, a limit reached, a file that cannot be read.
 * {@link #code()} is one of {@code image-archive} (bad archive), {@code image-path} (a name that the image cannot hold),
 * {@code image-limit} (too large), {@code image-module} (bad kernel module), {@code image-missing} (something named is not
 * there), {@code image-tool} (a program that is needed is missing or failed), {@code image-io} (the host's file system refused).
 */
public final class ImageException extends HypervisorException {
    private static final long serialVersionUID = 1L;

    /**
     * @param code stable name of the kind of error
     * @param message what happened, with names and values
     * @param remedy what the caller can do, or null
     */
    public ImageException(String code, String message, @Nullable String remedy) {
        super(code, message, remedy);
    }

    /**
     * @param code stable name of the kind of error
     * @param message what happened, with names and values
     * @param remedy what the caller can do, or null
     * @param cause the error underneath
     */
    public ImageException(String code, String message, @Nullable String remedy, @Nullable Throwable cause) {
        super(code, message, null, 0, remedy, cause);
    }

    static ImageException archive(String archive, String problem) {
        return new ImageException("image-archive", archive + ": " + problem, "check or fetch the archive again");
    }

    static ImageException archive(String archive, Throwable cause) {
        return new ImageException(
                "image-archive",
                archive + ": damaged archive: " + reason(cause),
                "check or fetch the archive again",
                cause);
    }

    static ImageException path(String path, String problem) {
        return new ImageException("image-path", "\"" + printable(path) + "\": " + problem, null);
    }

    static ImageException io(String what, Throwable cause) {
        return new ImageException("image-io", what + ": " + reason(cause), null, cause);
    }

    static String reason(Throwable cause) {
        String message = cause.getMessage();
        String name = cause.getClass().getSimpleName();
        return message == null ? name : name + ": " + printable(message);
    }

    /** Names of strangers reach logs and terminals: no control characters, and not at any length. */
    static String printable(String text) {
        String cut = text.length() > 200 ? text.substring(0, 200) + "..." : text;
        return cut.replaceAll("\\p{Cntrl}", "?");
    }
}
