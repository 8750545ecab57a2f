package io.javisor.vmbus.service;

import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.vmbus.protocol.Wire;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * Freezes the guest's file systems while the host copies their disks (the VSS protocol). The guest's daemon (hv_vss_daemon)
 * does it.
 */
public final class BackupService extends IntegrationService {
    /** How long the guest may take to freeze: its driver gives its daemon 15 minutes. */
    public static final Duration FREEZE_LIMIT = Duration.ofMinutes(16);

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int HOT_BACKUP = 2; // VSS_OP_HOT_BACKUP: can it be done?
    private static final int FREEZE = 5;
    private static final int THAW = 6;

    private volatile boolean frozen;

    /** A service that has not been offered yet. */
    public BackupService() {
        super(
                "vss",
                "35fa2e29-ea23-4236-96ae-3a6ebacba440",
                "2450ee40-33bf-4fbd-892e-9fb06e9214cf",
                IcMessage.BACKUP,
                List.of(new IcVersion(5, 0)));
    }

    /**
     * Does something while the guest's file systems are frozen, and thaws them in any case. Blocks; good for virtual threads.
     * One at a time.
     *
     * @param limit how long the guest may take to freeze
     * @param action what is done; short, as writers in the guest stand still
     * @return what the action returned
     * @throws IntegrationException if the guest did not freeze
     * @throws Exception what the action threw
     */
    public synchronized <T extends @Nullable Object> T whileFrozen(Duration limit, Callable<T> action)
            throws Exception {
        await(operation(HOT_BACKUP, LIMIT));
        frozen = true;
        try {
            await(operation(FREEZE, limit));
            return action.call();
        } finally {
            // Also after a freeze that failed or was too slow: it may have happened all the same.
            try {
                await(operation(THAW, LIMIT));
                frozen = false;
            } catch (IntegrationException e) {
                // The guest is gone, or thaws when its daemon is reset; the action's result stands.
                frozen = isReady();
            }
        }
    }

    /** Whether the guest's file systems may be frozen now. */
    public boolean isFrozen() {
        return frozen;
    }

    private CompletableFuture<Void> operation(int code, Duration limit) {
        byte[] body = new byte[12];
        body[0] = (byte) code;
        return tell(Wire.bytes(Wire.buffer(body)), limit);
    }

    private static void await(CompletableFuture<Void> answer) {
        try {
            answer.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof IntegrationException cause) {
                throw cause;
            }
            throw e;
        }
    }

    @Override
    void ready(IcLink now, boolean restored) {
        if (restored && frozen) {
            // Whoever froze it is in another process, or gone.
            var _ = operation(THAW, LIMIT).whenComplete((_, error) -> frozen = error != null);
        }
    }

    @Override
    void gone(IcLink before) {
        frozen = false;
    }

    @Override
    void saveMore(StateWriter out) {
        out.put("frozen", frozen);
    }

    @Override
    void restoreMore(StateReader in) {
        frozen = in.getBoolean("frozen");
    }
}
