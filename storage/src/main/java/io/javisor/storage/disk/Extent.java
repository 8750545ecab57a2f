package io.javisor.storage.disk;

/**
 * A piece of a disk that is stored in one way.
 *
 * @param kind how
 * @param length in bytes, more than 0
 */
public record Extent(Kind kind, long length) {
    /** Ways to store a piece. */
    public enum Kind {
        /** In this file; it may still be zeroes. */
        DATA,
        /** Known to read as zeroes, without storage of its own. */
        ZERO,
        /** In the disk underneath this differencing disk or overlay. */
        PARENT
    }

    /** Checks the length. */
    public Extent {
        if (length <= 0) {
            throw new IllegalArgumentException("an extent of " + length + " bytes");
        }
    }
}
