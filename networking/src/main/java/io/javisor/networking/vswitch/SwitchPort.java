package io.javisor.networking.vswitch;

import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import io.javisor.networking.vswitch.AccessRule.Action;
import io.javisor.networking.vswitch.AccessRule.Direction;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A port of a switch, with its station. Safe from any thread. */
public final class SwitchPort implements AutoCloseable {
    /** How long a station is told to wait at most, whatever it has sent. */
    public static final long MOST_WAIT_NANOS = 2_000_000_000L;

    private static final int BURST_MILLIS = 10;
    private static final int LEAST_BURST_BYTES = 128 << 10; // two of the largest frames

    private final VirtualSwitch owner;
    private final String name;
    private final Station station;
    private final Consumer<Frame> toStation;
    private final Consumer<Frame> toStationClosed = this::closeAndGive;
    private final AtomicInteger macs = new AtomicInteger();
    private final LongAdder framesIn = new LongAdder();
    private final LongAdder bytesIn = new LongAdder();
    private final LongAdder framesOut = new LongAdder();
    private final LongAdder bytesOut = new LongAdder();
    private final LongAdder[] drops = new LongAdder[Drop.values().length];
    private volatile State state;
    private volatile boolean closed;

    /** What follows from the settings; replaced as a whole. */
    private record State(
            PortSettings settings,
            AccessRule[] rules,
            LongAdder[] meters,
            @Nullable Bandwidth maximum,
            @Nullable Bandwidth share,
            @Nullable Bandwidth storm) {}

    SwitchPort(VirtualSwitch owner, String name, PortSettings settings, Station station) {
        this.owner = owner;
        this.name = name;
        this.station = station;
        toStation = station::receive;
        for (int i = 0; i < drops.length; i++) {
            drops[i] = new LongAdder();
        }
        state = state(settings, owner.now());
    }

    private static State state(PortSettings settings, long now) {
        AccessRule[] rules = settings.accessList().toArray(AccessRule[]::new);
        LongAdder[] meters = new LongAdder[rules.length];
        for (int i = 0; i < meters.length; i++) {
            meters[i] = new LongAdder();
        }
        int storm = settings.stormLimit();
        return new State(
                settings,
                rules,
                meters,
                bandwidth(settings.maximum(), now),
                null,
                storm == 0 ? null : new Bandwidth(storm, Math.max(1, storm / 10), now));
    }

    static @Nullable Bandwidth bandwidth(long bitsPerSecond, long now) {
        long bytes = bitsPerSecond / 8;
        return bytes == 0 ? null : new Bandwidth(bytes, Math.max(LEAST_BURST_BYTES, bytes * BURST_MILLIS / 1000), now);
    }

    /** Its name, for people. */
    public String name() {
        return name;
    }

    /** What it lets pass. */
    public PortSettings settings() {
        return state.settings;
    }

    /** Changes what it lets pass, from the next frame on. Counters of its access list begin anew. */
    public void change(PortSettings settings) {
        state = state(settings, owner.now());
        owner.changed(this);
    }

    /** Gives it its share of the switch's capacity. */
    void share(@Nullable Bandwidth share) {
        State now = state;
        state = new State(now.settings, now.rules, now.meters, now.maximum, share, now.storm);
    }

    /** The station sends a frame, which has been parsed; it is the station's again when this returns, and may have changed. */
    public long send(Frame frame) {
        int length = frame.length();
        framesIn.increment();
        bytesIn.add(length);
        State now = state;
        PortSettings settings = now.settings;
        if (closed || settings.mirror() == PortSettings.Mirror.DESTINATION) {
            return drop(Drop.CLOSED);
        }
        int vlan = settings.vlan().entering(frame.vlan());
        if (vlan < 0) {
            return drop(Drop.VLAN);
        }
        Drop guarded = Guards.check(settings, frame);
        if (guarded != null) {
            return drop(guarded);
        }
        if (!allows(now, Direction.OUT, frame)) {
            return drop(Drop.ACCESS_LIST);
        }
        long time = owner.now();
        Bandwidth storm = now.storm;
        if (storm != null && owner.floods(frame, vlan, time) && !storm.tryTake(1, time)) {
            return drop(Drop.STORM);
        }
        long wait = now.maximum == null ? 0 : now.maximum.take(length, time);
        wait = Math.max(wait, owner.shareWait(now.share, length, time));
        owner.forward(this, frame, vlan, time);
        return wait;
    }

    private long drop(Drop why) {
        drops[why.ordinal()].increment();
        return 0;
    }

    /** Counts a frame that was dropped on its way through the switch. */
    void dropped(Drop why) {
        drops[why.ordinal()].increment();
    }

    private static boolean allows(State state, Direction direction, Frame frame) {
        AccessRule[] rules = state.rules;
        for (int i = 0; i < rules.length; i++) {
            if (rules[i].fits(direction, frame)) {
                if (rules[i].action() != Action.METER) {
                    return rules[i].action() == Action.ALLOW;
                }
                state.meters[i].add(frame.length());
            }
        }
        return true;
    }

    /** Lets a frame of a VLAN leave to the station, if the settings permit it. */
    void leave(SwitchPort from, Frame frame, int vlan) {
        State now = state;
        PortSettings settings = now.settings;
        if (closed || settings.mirror() == PortSettings.Mirror.DESTINATION) {
            return;
        }
        if (settings.isolated() && from.settings().isolated()) {
            drop(Drop.ISOLATED);
            return;
        }
        int tag = settings.vlan().leaving(vlan);
        if (tag < 0) {
            return; // not for this VLAN: no loss
        }
        if (!allows(now, Direction.IN, frame)) {
            drop(Drop.ACCESS_LIST);
            return;
        }
        if (!owner.passesOut(frame, from, this)) {
            drop(Drop.EXTENSION);
            return;
        }
        give(frame, tag);
    }

    /** Gives the station a frame, whatever the settings, with a tag or 0 for none. */
    void give(Frame frame, int tag) {
        int before = frame.vlan();
        int priority = frame.priority();
        frame.setVlan(tag, tag == 0 ? 0 : priority);
        owner.leaving(frame, this);
        framesOut.increment();
        bytesOut.add(frame.length());
        if (frame.mss() != 0 && !station.takesLarge(frame.etherType())) {
            frame.segments().cut(frame, station.takesOpenChecksums() ? toStation : toStationClosed);
        } else {
            if (frame.openChecksum() && !station.takesOpenChecksums()) {
                Checksums.close(frame);
            }
            station.receive(frame);
        }
        frame.setVlan(before, priority);
    }

    private void closeAndGive(Frame piece) {
        Checksums.close(piece);
        station.receive(piece);
    }

    boolean mayLearn() {
        return !closed && macs.get() < state.settings.mostMacs();
    }

    void learnt(int change) {
        macs.addAndGet(change);
    }

    /** Addresses that are known to be behind it. */
    public int macsLearnt() {
        return macs.get();
    }

    /** What went through it. */
    public PortStatistics statistics() {
        var dropped = new EnumMap<Drop, Long>(Drop.class);
        for (Drop why : Drop.values()) {
            long count = drops[why.ordinal()].sum();
            if (count != 0) {
                dropped.put(why, count);
            }
        }
        State now = state;
        Map<AccessRule, Long> metered = new LinkedHashMap<>();
        for (int i = 0; i < now.rules.length; i++) {
            if (now.rules[i].action() == Action.METER) {
                metered.merge(now.rules[i], now.meters[i].sum(), Long::sum);
            }
        }
        return new PortStatistics(
                framesIn.sum(), bytesIn.sum(), framesOut.sum(), bytesOut.sum(), Map.copyOf(dropped), metered);
    }

    /** Rules of the access list, for those who look at the counters. */
    public List<AccessRule> accessList() {
        return state.settings.accessList();
    }

    /** Unplugs the station. Frames that other threads are giving it may still arrive. Idempotent. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            owner.remove(this);
        }
    }

    @Override
    public String toString() {
        return owner.name() + "/" + name;
    }
}
