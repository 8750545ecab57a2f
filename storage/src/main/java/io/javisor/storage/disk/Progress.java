package io.javisor.storage.disk;

/** Is told how far a long piece of work has got, on the thread that does it. Throwing from it ends the work. */
@FunctionalInterface
public interface Progress {
    /** Tells nobody. */
    Progress NONE = (_, _) -> {};

    /**
     * Some of it is done.
     *
     * @param done bytes of the disk
     * @param total bytes of the disk
     */
    void at(long done, long total);
}
