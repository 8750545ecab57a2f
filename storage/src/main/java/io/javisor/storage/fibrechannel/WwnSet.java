package io.javisor.storage.fibrechannel;

/** Which of an adapter's two sets of names is logged in. They take turns when a machine moves, so that a path is always there. */
public enum WwnSet {
    /** The first set. */
    A,
    /** The second set. */
    B;

    /** The set that is not this one. */
    public WwnSet other() {
        return this == A ? B : A;
    }
}
