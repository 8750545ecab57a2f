package io.javisor.vmbus.service;

import io.javisor.partition.reactor.Reactor;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.partition.synic.SynIc;
import io.javisor.vmbus.protocol.Wire;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Tells the guest the host's time: a sample every few seconds, which guests may use as a hint (Linux: as a PTP clock), and one
 * with SYNC after start and whenever {@link #synchronize} is called, at which the guest steps its clock.
 */
public final class TimeSyncService extends IntegrationService {
    /** Time between samples. */
    public static final Duration PERIOD = Duration.ofSeconds(5);

    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final int FLAG_SYNC = 1;
    private static final int FLAG_SAMPLE = 2;
    private static final long UNIX_EPOCH = 11_644_473_600L; // seconds after 1601-01-01, where the guest's count begins
    private static final int STRATUM = 1;

    private final SynIc synIc;
    private final InstantSource clock;
    private Reactor.@Nullable Timer timer; // the channel's reactor's, like what follows
    private boolean asking;

    /**
     * A service that has not been offered yet.
     *
     * @param synIc gives the guest's reference time
     * @param clock gives the host's time
     */
    public TimeSyncService(SynIc synIc, InstantSource clock) {
        super(
                "timesync",
                "9527e630-d0ae-497b-adce-e80ab0175caf",
                "2dd1ce17-079e-403c-b352-a1921ee207ee",
                IcMessage.TIME_SYNC,
                List.of(new IcVersion(1, 0), new IcVersion(3, 0), new IcVersion(4, 0)));
        this.synIc = synIc;
        this.clock = clock;
    }

    /** Makes the guest step its clock to the host's time: call it after a pause or a restore. Completes with its answer. */
    public CompletableFuture<Void> synchronize() {
        IcLink now = link();
        IcVersion version = now == null ? IcMessage.NO_VERSION : now.version();
        return tell(sample(FLAG_SYNC, version), LIMIT);
    }

    private byte[] sample(int flags, IcVersion version) {
        Instant time = clock.instant();
        long host = (time.getEpochSecond() + UNIX_EPOCH) * 10_000_000L + time.getNano() / 100;
        ByteBuffer body;
        if (version.compareTo(new IcVersion(4, 0)) >= 0) {
            body = Wire.buffer(new byte[22])
                    .putLong(host)
                    .putLong(synIc.referenceTime())
                    .put((byte) flags)
                    .put((byte) 0) // leap indicator
                    .put((byte) STRATUM);
        } else {
            body = Wire.buffer(new byte[25]).putLong(host).putLong(0).putLong(0).put((byte) flags);
        }
        return Wire.bytes(body);
    }

    @Override
    void ready(IcLink now, boolean restored) {
        // A restored guest's time does not run yet: whoever lets it go on calls synchronize().
        if (!restored) {
            asking = true;
            var _ = tell(sample(FLAG_SYNC, now.version()), LIMIT).whenComplete((_, _) -> asking = false);
        }
        schedule(now);
    }

    private void schedule(IcLink now) {
        timer = now.channel().reactor().schedule(PERIOD.toNanos(), () -> {
            if (!asking && now.isReady() && !now.channel().isPaused()) { // a guest that is stuck gets no more of them
                asking = true;
                var _ = tell(sample(FLAG_SAMPLE, now.version()), LIMIT).whenComplete((_, _) -> asking = false);
            }
            schedule(now);
        });
    }

    @Override
    void gone(IcLink before) {
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
        asking = false;
    }

    @Override
    void saveMore(StateWriter out) {
        // Samples are made when they are sent.
    }

    @Override
    void restoreMore(StateReader in) {
        // See saveMore.
    }
}
