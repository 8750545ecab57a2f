package io.javisor.api.exec;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** How a shell in the guest reaches the host past the serial port. For one thread at a time. */
interface CallBack {
    /** Whether the guest's kernel could connect now, as far as the host knows. */
    boolean isPossible();

    /** Begins to wait for one connection. */
    Waiting listen();

    /** A place where the guest may connect; close it when it has, or has not. */
    interface Waiting extends AutoCloseable {
        /** What the guest has to know: an unsigned number. */
        int port();

        /** The connection, or null if none came in time. */
        @Nullable
        Connection accept(Duration limit) throws IOException, InterruptedException;

        @Override
        void close();
    }

    /** A byte stream to a program in the guest. */
    interface Connection extends AutoCloseable {
        /** Reads at least one byte; −1 at the end. */
        int read(ByteBuffer into) throws IOException;

        /** Writes as much as finds room in time. */
        int write(ByteBuffer from, Duration limit) throws IOException;

        /** Whether the guest has read all that was written. */
        boolean isDrained() throws IOException;

        @Override
        void close();
    }
}
