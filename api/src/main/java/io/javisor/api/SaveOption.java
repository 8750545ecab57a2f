package io.javisor.api;

/** How a machine is saved. */
public enum SaveOption {
    /**
     * Memory is compressed (deflate): smaller, and slower to save. Each machine that is restored from it unpacks a copy of its
     * own, where otherwise it maps what it needs and shares it with the others.
     */
    COMPRESSED
}
