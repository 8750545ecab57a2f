package io.javisor.storage.disk;

import io.javisor.partition.HypervisorException;
import org.jspecify.annotations.Nullable;

/** A disk can't do what was asked. {@link #kind()} says why in terms that a SCSI target can pass on. */
public class DiskException extends HypervisorException {
    private static final long serialVersionUID = 1L;

    private final Kind kind;

    /** Why a request failed. */
    public enum Kind {
        /** The range is not on the disk, or is not made of whole sectors. */
        RANGE,
        /** The disk, or its file, can't be written. */
        READ_ONLY,
        /** The disk has been closed. */
        CLOSED,
        /** The host has no room left. */
        NO_SPACE,
        /** The host failed to read. */
        READ,
        /** The host failed to write or flush. */
        WRITE,
        /** The image is damaged, or of a kind that is not known. */
        FORMAT,
        /** The image is in use elsewhere. */
        BUSY,
        /** The file can't be opened or made. */
        OPEN,
        /** A parent is missing, is not admitted, or is not the one that the child was made for. */
        PARENT,
        /** What was asked for is not possible with this kind of disk. */
        UNSUPPORTED
    }

    /**
     * An error without a system call behind it.
     *
     * @param kind why
     * @param message what happened, with the values
     * @param remedy what the caller can do, or null
     */
    public DiskException(Kind kind, String message, @Nullable String remedy) {
        this(kind, message, null, 0, remedy, null);
    }

    /**
     * An error with all that is known of it.
     *
     * @param kind why
     * @param message what happened, with the values
     * @param call the system call that failed, or null
     * @param errno the kernel's error number, or 0
     * @param remedy what the caller can do, or null
     * @param cause the error underneath, or null
     */
    public DiskException(
            Kind kind,
            String message,
            @Nullable String call,
            int errno,
            @Nullable String remedy,
            @Nullable Throwable cause) {
        super(code(kind), message, call, errno, remedy, cause);
        this.kind = kind;
    }

    private static String code(Kind kind) {
        return switch (kind) {
            case RANGE -> "disk-range";
            case READ_ONLY -> "disk-read-only";
            case CLOSED -> "disk-closed";
            case NO_SPACE -> "disk-no-space";
            case READ -> "disk-read";
            case WRITE -> "disk-write";
            case FORMAT -> "disk-format";
            case BUSY -> "disk-busy";
            case OPEN -> "disk-open";
            case PARENT -> "disk-parent";
            case UNSUPPORTED -> "disk-unsupported";
        };
    }

    /** Why. */
    public final Kind kind() {
        return kind;
    }
}
