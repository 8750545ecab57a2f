package io.javisor.memory;

import java.time.Instant;

/** Something that happened to a machine's memory; sizes in bytes. */
public sealed interface MemoryEvent {
    /** When. */
    Instant at();

    /**
     * The guest's driver is there.
     *
     * @param at when
     * @param version of the protocol
     * @param balloon whether it gives memory up
     * @param hotAdd whether it takes new memory
     */
    record DriverReady(Instant at, String version, boolean balloon, boolean hotAdd) implements MemoryEvent {}

    /**
     * The guest's driver has gone: what the guest has stays as it is.
     *
     * @param at when
     */
    record DriverGone(Instant at) implements MemoryEvent {}

    /**
     * The guest gave memory up.
     *
     * @param at when
     * @param asked what it was asked for
     * @param got what it gave
     */
    record Ballooned(Instant at, long asked, long got) implements MemoryEvent {}

    /**
     * The guest has memory back.
     *
     * @param at when
     * @param bytes how much
     */
    record Unballooned(Instant at, long bytes) implements MemoryEvent {}

    /**
     * The guest was offered new memory.
     *
     * @param at when
     * @param node of the guest
     * @param offered how much
     * @param taken how much of it the guest took
     * @param last whether it will take no more in this run
     */
    record HotAdded(Instant at, int node, long offered, long taken, boolean last) implements MemoryEvent {}

    /**
     * The guest does not answer; it is not asked again before it does.
     *
     * @param at when
     * @param request what it was asked
     */
    record Overdue(Instant at, String request) implements MemoryEvent {}

    /**
     * The guest takes new memory but does not use it, and gets no more: its kernel needs {@code memhp_default_state=online}.
     *
     * @param at when
     * @param bytes how much was of no use
     */
    record NotOnline(Instant at, long bytes) implements MemoryEvent {}

    /**
     * The guest used memory that it had given up. It was taken again, with what the guest had written there.
     *
     * @param at when
     * @param bytes how much
     */
    record Strayed(Instant at, long bytes) implements MemoryEvent {}

    /**
     * The host had no memory to give, or could not take it.
     *
     * @param at when
     * @param message why
     */
    record Refused(Instant at, String message) implements MemoryEvent {}

    /**
     * Smart Paging: how much of the machine's memory is on disk has changed.
     *
     * @param at when
     * @param bytes that are on disk since
     */
    record Paged(Instant at, long bytes) implements MemoryEvent {}

    /**
     * Whether the machine has what it needs has changed.
     *
     * @param at when
     * @param from before
     * @param to since
     */
    record StatusChanged(Instant at, MemoryStatus from, MemoryStatus to) implements MemoryEvent {}

    /**
     * Its limits were changed.
     *
     * @param at when
     * @param limits since
     */
    record LimitsChanged(Instant at, DynamicMemory limits) implements MemoryEvent {}
}
