package io.javisor.api;

import io.javisor.partition.synic.SynIc;
import io.javisor.vmbus.VmBus;
import io.javisor.vmbus.service.BackupService;
import io.javisor.vmbus.service.HeartbeatService;
import io.javisor.vmbus.service.KeyValueService;
import io.javisor.vmbus.service.ShutdownService;
import io.javisor.vmbus.service.TimeSyncService;
import java.time.InstantSource;
import java.util.function.Consumer;

/**
 * The integration services of one run of a guest: what its hv_utils driver and Hyper-V's daemons answer. A service that the
 * guest has not taken up says so through {@code isReady()}.
 */
public final class Integration {
    private final ShutdownService shutdown = new ShutdownService();
    private final HeartbeatService heartbeat;
    private final TimeSyncService time;
    private final KeyValueService keyValue = new KeyValueService();
    private final BackupService backup = new BackupService();

    Integration(SynIc synic, Consumer<HeartbeatService.State> heartbeats) {
        heartbeat = new HeartbeatService(heartbeats);
        time = new TimeSyncService(synic, InstantSource.system());
    }

    /** Offers all services; the guest takes up those that it knows. */
    void offer(VmBus bus) {
        bus.add(shutdown);
        bus.add(time);
        bus.add(heartbeat);
        bus.add(keyValue);
        bus.add(backup);
    }

    /** Asks the guest to power off, restart or hibernate; needs hv_utils. */
    public ShutdownService shutdown() {
        return shutdown;
    }

    /** Whether the guest's kernel still runs; needs hv_utils. */
    public HeartbeatService heartbeat() {
        return heartbeat;
    }

    /** Sets the guest's clock; needs hv_utils. */
    public TimeSyncService time() {
        return time;
    }

    /** Exchanges keys and values; needs hv_kvp_daemon in the guest. */
    public KeyValueService keyValue() {
        return keyValue;
    }

    /** Freezes the guest's file systems around an action; needs hv_vss_daemon in the guest. */
    public BackupService backup() {
        return backup;
    }
}
