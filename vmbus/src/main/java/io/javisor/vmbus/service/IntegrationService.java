package io.javisor.vmbus.service;

import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.vmbus.channel.Channel;
import io.javisor.vmbus.channel.ChannelDevice;
import io.javisor.vmbus.channel.ChannelHandler;
import io.javisor.vmbus.channel.ChannelOffer;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * What all integration services do alike: negotiate, ask one question at a time, and match the answers. Safe from any thread.
 */
public abstract sealed class IntegrationService implements ChannelDevice
        permits HeartbeatService, ShutdownService, TimeSyncService, KeyValueService, BackupService {
    private static final List<IcVersion> FRAMEWORKS = List.of(new IcVersion(1, 0), new IcVersion(3, 0));

    private final String name;
    private final ChannelOffer offer;
    private final int type;
    private final List<IcVersion> versions;
    private volatile @Nullable IcLink link;

    // What a restored link begins with.
    private IcVersion savedFramework = IcMessage.NO_VERSION;
    private IcVersion savedVersion = IcMessage.NO_VERSION;
    private boolean savedReady;
    private int savedTransaction;

    /**
     * A service.
     *
     * @param name for messages and saved state
     * @param versions that the host speaks, oldest first
     */
    IntegrationService(String name, String interfaceType, String instance, int type, List<IcVersion> versions) {
        this.name = name;
        this.type = type;
        this.versions = List.copyOf(versions);
        offer = ChannelOffer.pipe(UUID.fromString(interfaceType), UUID.fromString(instance));
    }

    @Override
    public final ChannelOffer offer() {
        return offer;
    }

    @Override
    public final int maxPacketBytes() {
        return 8_192;
    }

    @Override
    public final int maxPacketsHeld() {
        return 1;
    }

    /** Whether the guest serves it now: its driver has agreed on versions. Daemons may still be missing. */
    public final boolean isReady() {
        IcLink now = link;
        return now != null && now.isReady();
    }

    @Override
    public final ChannelHandler opened(Channel channel) {
        IcLink fresh = new IcLink(this, channel);
        link = fresh;
        fresh.negotiate();
        return fresh;
    }

    @Override
    public final ChannelHandler restored(Channel channel) {
        IcLink again = new IcLink(this, channel);
        link = again;
        again.restore(savedReady, savedFramework, savedVersion, savedTransaction);
        return again;
    }

    /** Asks the guest. The future is completed on the channel's reactor, with an answer whose status may be bad. */
    final CompletableFuture<IcMessage> ask(byte[] body, Duration limit) {
        IcLink now = link;
        CompletableFuture<IcMessage> answer = new CompletableFuture<>();
        if (now == null || !now.isReady()) {
            answer.completeExceptionally(IntegrationException.notReady(name));
            return answer;
        }
        try {
            now.channel().reactor().execute(() -> now.ask(body, limit, answer));
        } catch (RejectedExecutionException e) {
            answer.completeExceptionally(IntegrationException.closed(name));
        }
        return answer;
    }

    /** Like {@link #ask}, for answers without content: a bad status fails it. */
    final CompletableFuture<Void> tell(byte[] body, Duration limit) {
        return ask(body, limit).thenAccept(this::check);
    }

    final IcMessage check(IcMessage answer) {
        if (answer.status() != 0) {
            throw IntegrationException.refused(name, answer.status());
        }
        return answer;
    }

    /** The open channel's link, if there is one. */
    final @Nullable IcLink link() {
        return link;
    }

    final String name() {
        return name;
    }

    final int type() {
        return type;
    }

    final List<IcVersion> frameworks() {
        return FRAMEWORKS;
    }

    final List<IcVersion> versions() {
        return versions;
    }

    /** The guest has agreed, now or before the machine was saved; on the channel's reactor. */
    void ready(IcLink now, boolean restored) {}

    /** The channel closed; on its reactor. */
    void gone(IcLink before) {}

    final void closed(IcLink closed) {
        if (closed.equals(link)) {
            link = null;
        }
        gone(closed);
    }

    @Override
    public final String stateName() {
        return "integration." + name;
    }

    @Override
    public final int stateVersion() {
        return 1;
    }

    @Override
    public final void save(StateWriter out) {
        IcLink now = link;
        out.put("ready", now != null && now.isReady());
        IcVersion framework = now == null ? IcMessage.NO_VERSION : now.framework();
        IcVersion version = now == null ? IcMessage.NO_VERSION : now.version();
        out.put("framework", (long) framework.major() << 16 | framework.minor());
        out.put("version", (long) version.major() << 16 | version.minor());
        out.put("transaction", now == null ? 0 : now.transaction());
        saveMore(out);
    }

    @Override
    public final void restore(StateReader in) {
        in.requireVersion(1);
        savedReady = in.getBoolean("ready");
        savedFramework = version(in.getInt("framework", 0, Integer.MAX_VALUE));
        savedVersion = version(in.getInt("version", 0, Integer.MAX_VALUE));
        savedTransaction = in.getInt("transaction", 0, 255);
        restoreMore(in);
    }

    private static IcVersion version(int code) {
        return new IcVersion(code >>> 16, code & 0xFFFF);
    }

    /** Writes what this service has of its own. */
    abstract void saveMore(StateWriter out);

    /** Reads it back. */
    abstract void restoreMore(StateReader in);
}
