package io.javisor.storage.disk;

/**
 * Does reads and writes of files that no thread waits for, as many at a time as it has places. Given along with a request, because
 * it belongs to whoever asks, and not to the disk. Safe from any thread.
 */
public interface IoEngine extends AutoCloseable {
    /** Hears, once and on any thread, that a request has ended; it must not wait. */
    @FunctionalInterface
    interface Completion {
        /**
         * The request has ended, and its memory is touched no more.
         *
         * @param moved all its bytes; −1 if it failed or moved less: who does it again and waits hears what is wrong
         */
        void ended(long moved);
    }

    /** Takes no more requests, and returns when those under way have ended and been told. Idempotent; not to be called by a completion. */
    @Override
    void close();
}
