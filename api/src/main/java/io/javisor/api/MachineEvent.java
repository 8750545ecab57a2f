package io.javisor.api;

import io.javisor.vmbus.service.HeartbeatService;
import java.time.Instant;
import java.util.List;

/** Something that happened to a machine. */
public sealed interface MachineEvent {
    /** When. */
    Instant at();

    /**
     * The state changed.
     *
     * @param at when
     * @param from the state before
     * @param to the state now
     */
    record StateChanged(Instant at, MachineState from, MachineState to) implements MachineEvent {}

    /**
     * The guest reset itself and boots again.
     *
     * @param at when
     */
    record Restarted(Instant at) implements MachineEvent {}

    /**
     * The guest's kernel reported its own crash (Hyper-V crash MSRs).
     *
     * @param at when
     * @param parameters the five values that it left
     * @param message the end of its log, up to 4,096 bytes; empty if it sent none
     */
    record CrashReported(Instant at, List<Long> parameters, String message) implements MachineEvent {
        /** Copies the list. */
        public CrashReported {
            parameters = List.copyOf(parameters);
        }
    }

    /**
     * The guest's kernel answers heartbeats, or no longer does.
     *
     * @param at when
     * @param state since then
     */
    record HeartbeatChanged(Instant at, HeartbeatService.State state) implements MachineEvent {}

    /**
     * A disk that is asked all the time has begun to do less than its minimum of requests a second, or does no less any more.
     *
     * @param at when
     * @param drive where the disk is plugged in
     * @param minimum requests a second that it should do at least: see {@link io.javisor.storage.disk.IoLimits}
     * @param below whether it does less
     */
    record DiskMinimumChanged(Instant at, DriveAddress drive, long minimum, boolean below) implements MachineEvent {}
}
