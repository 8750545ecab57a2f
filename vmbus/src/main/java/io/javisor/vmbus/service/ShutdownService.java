package io.javisor.vmbus.service;

import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.vmbus.protocol.Wire;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Asks the guest to shut down, restart or hibernate. Linux obeys in order: services stop, file systems are unmounted. */
public final class ShutdownService extends IntegrationService {
    /** What the guest shall do (SHUTDOWN_FLAGS: 0, 2, 4). */
    public enum Kind {
        /** Power off. */
        SHUTDOWN(0),
        /** Start anew. */
        RESTART(2),
        /** Save itself to its disk; refused by guests without ACPI S4 and swap. */
        HIBERNATE(4);

        private final int flags;

        Kind(int flags) {
            this.flags = flags;
        }
    }

    private static final int MESSAGE_CHARS = 1_023; // of 2,048 bytes of UTF-16 with its end
    private static final int REASON_OTHER_PLANNED = 0x8000_0000;

    /** A service that has not been offered yet. */
    public ShutdownService() {
        super(
                "shutdown",
                "0e0b6031-5213-4934-818b-38d90ced39db",
                "b6650ff7-33bc-4840-8048-e0676786f393",
                IcMessage.SHUTDOWN,
                List.of(new IcVersion(1, 0), new IcVersion(3, 0), new IcVersion(3, 1), new IcVersion(3, 2)));
    }

    /**
     * Asks.
     *
     * @param kind what for
     * @param force whether programs that resist shall be ended (Linux always does)
     * @param message shown to users by guests that show it; cut at 1,023 characters
     * @param limit how long to wait for the guest's yes
     * @return completes when the guest said yes, not when it is done
     */
    public CompletableFuture<Void> request(Kind kind, boolean force, String message, Duration limit) {
        ByteBuffer body = Wire.buffer(new byte[12 + 2_048])
                .putInt(REASON_OTHER_PLANNED)
                .putInt(0) // at once
                .putInt(kind.flags | (force ? 1 : 0));
        body.put(message.substring(0, Math.min(MESSAGE_CHARS, message.length())).getBytes(StandardCharsets.UTF_16LE));
        return tell(Wire.bytes(body), limit);
    }

    @Override
    void saveMore(StateWriter out) {
        // A request is over when it is answered; nothing else is kept.
    }

    @Override
    void restoreMore(StateReader in) {
        // See saveMore.
    }
}
