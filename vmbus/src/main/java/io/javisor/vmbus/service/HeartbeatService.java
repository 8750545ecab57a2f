package io.javisor.vmbus.service;

import io.javisor.partition.reactor.Reactor;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.vmbus.protocol.Wire;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Asks the guest every two seconds whether it lives. A machine that is paused counts as lost soon, because nothing in it runs;
 * while it is being saved nobody counts.
 */
public final class HeartbeatService extends IntegrationService {
    /** What is known of the guest. */
    public enum State {
        /** Its driver is not there (yet, or any more). */
        NO_CONTACT,
        /** It answers. */
        OK,
        /** It has not answered for {@link #MISSED} beats. */
        LOST
    }

    /** Time between beats. */
    public static final Duration PERIOD = Duration.ofSeconds(2);

    /** Beats without an answer after which the guest counts as lost. */
    public static final int MISSED = 5;

    private static final Duration FOREVER = Duration.ofDays(36_500);

    private final Consumer<State> listener;
    private volatile State state = State.NO_CONTACT;
    private Reactor.@Nullable Timer timer; // the channel's reactor's, like what follows
    private long sequence;
    private boolean beating;
    private int missed;

    /**
     * A service that has not been offered yet.
     *
     * @param listener told of every change of state, on a reactor; must not block
     */
    public HeartbeatService(Consumer<State> listener) {
        super(
                "heartbeat",
                "57164f39-9115-4e78-ab55-382f3bd5422d",
                "fd149e91-82e0-4a7d-afa6-2a4166cbd7c0",
                IcMessage.HEARTBEAT,
                List.of(new IcVersion(1, 0), new IcVersion(3, 0)));
        this.listener = listener;
    }

    /** What is known of the guest now. */
    public State state() {
        return state;
    }

    @Override
    void ready(IcLink now, boolean restored) {
        missed = 0;
        beating = false;
        beat(now);
        schedule(now);
    }

    private void schedule(IcLink now) {
        timer = now.channel().reactor().schedule(PERIOD.toNanos(), () -> {
            if (!now.channel().isPaused()) {
                if (!beating) {
                    beat(now);
                } else if (++missed == MISSED) {
                    become(State.LOST);
                }
            }
            schedule(now);
        });
    }

    private void beat(IcLink now) {
        beating = true;
        missed = 0;
        ByteBuffer body = Wire.buffer(new byte[40]).putLong(++sequence);
        // One question without end rather than one a beat: a guest that is stuck is asked once.
        var _ = ask(Wire.bytes(body), FOREVER).whenComplete((message, error) -> {
            beating = false;
            missed = 0;
            if (message != null && now.isReady()) {
                become(State.OK);
            }
        });
    }

    private void become(State next) {
        if (state != next) {
            state = next;
            listener.accept(next);
        }
    }

    @Override
    void gone(IcLink before) {
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
        become(State.NO_CONTACT);
    }

    @Override
    void saveMore(StateWriter out) {
        out.put("sequence", sequence);
    }

    @Override
    void restoreMore(StateReader in) {
        sequence = in.getLong("sequence");
    }
}
