package io.javisor.networking.vswitch;

import io.javisor.networking.frame.Frame;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * An Ethernet switch. Plug stations in with {@link #connect}; each gives its frames to its {@link SwitchPort} and is given
 * those for it. Safe from any thread; forwarding takes no lock and allocates nothing.
 */
public final class VirtualSwitch {
    /** Ports at most. */
    public static final int MOST_PORTS = 1024;

    /** How long an address is remembered that is not seen again (IEEE 802.1Q: 300 s). */
    public static final Duration AGE = Duration.ofMinutes(5);

    private static final SwitchPort[] NO_PORTS = {};

    private final String name;
    private final MacTable table;
    private final LongSupplier clock;
    private final long ageNanos;
    private volatile SwitchPort[] ports = NO_PORTS;
    private volatile boolean mirrors;
    private volatile long capacity;
    private volatile @Nullable Bandwidth common;
    private volatile Extensions.Capture[] captures = {};
    private volatile Extensions.Filter[] filters = {};
    private volatile Extensions.@Nullable Forwarding forwarding;
    private volatile long nextAgeing;

    /** A switch without ports. */
    public VirtualSwitch(String name) {
        this(name, AGE);
    }

    /**
     * A switch without ports.
     *
     * @param age how long an address is remembered that is not seen again
     */
    public VirtualSwitch(String name, Duration age) {
        this(name, age, System::nanoTime);
    }

    /**
     * A switch without ports, on a clock of one's own, as for simulations.
     *
     * @param age how long an address is remembered that is not seen again
     * @param clock counts nanoseconds from any beginning
     */
    public VirtualSwitch(String name, Duration age, LongSupplier clock) {
        this.name = name;
        this.clock = clock;
        ageNanos = age.toNanos();
        table = new MacTable(ageNanos, clock);
        nextAgeing = now() + ageNanos;
    }

    long now() {
        return clock.getAsLong();
    }

    /** Its name, for people. */
    public String name() {
        return name;
    }

    /**
     * Plugs a station in.
     *
     * @param portName for people
     * @throws IllegalStateException if it has {@link #MOST_PORTS} already
     */
    public synchronized SwitchPort connect(String portName, PortSettings settings, Station station) {
        SwitchPort[] before = ports;
        if (before.length >= MOST_PORTS) {
            throw new IllegalStateException("switch " + name + " has " + before.length + " ports, the most possible");
        }
        var port = new SwitchPort(this, portName, settings, station);
        SwitchPort[] after = Arrays.copyOf(before, before.length + 1);
        after[before.length] = port;
        ports = after;
        rearrange();
        return port;
    }

    synchronized void remove(SwitchPort port) {
        ports = Arrays.stream(ports).filter(p -> p != port).toArray(SwitchPort[]::new);
        table.forget(port);
        rearrange();
    }

    synchronized void changed(SwitchPort port) {
        table.forget(port); // it may be in other VLANs now
        rearrange();
    }

    /** Finds out again what depends on all ports' settings. */
    private void rearrange() {
        boolean any = false;
        int weights = 0;
        for (SwitchPort port : ports) {
            any |= port.settings().mirror() == PortSettings.Mirror.DESTINATION;
            weights += port.settings().weight();
        }
        mirrors = any;
        long all = capacity;
        common = SwitchPort.bandwidth(all, now());
        for (SwitchPort port : ports) {
            port.share(
                    all == 0 || weights == 0
                            ? null
                            : SwitchPort.bandwidth(all * port.settings().weight() / weights, now()));
        }
    }

    /** Its ports. */
    public List<SwitchPort> ports() {
        return List.of(ports);
    }

    /** Addresses that it knows. */
    public int macsLearnt() {
        return table.size();
    }

    /**
     * Sets what all ports together may send, in bits a second, so that their weights mean something: each has its share
     * whenever it wants it, and what others leave. 0 for no limit.
     */
    public synchronized void setCapacity(long bitsPerSecond) {
        if (bitsPerSecond < 0) {
            throw new IllegalArgumentException(bitsPerSecond + " bit/s");
        }
        capacity = bitsPerSecond;
        rearrange();
    }

    /** Adds an extension that sees what passes. */
    public synchronized void add(Extensions.Capture extension) {
        Extensions.Capture[] after = Arrays.copyOf(captures, captures.length + 1);
        after[captures.length] = extension;
        captures = after;
    }

    /** Adds an extension that decides what passes, after those that are there. */
    public synchronized void add(Extensions.Filter extension) {
        Extensions.Filter[] after = Arrays.copyOf(filters, filters.length + 1);
        after[filters.length] = extension;
        filters = after;
    }

    /** Sets the extension that decides where frames go; null for none. */
    public void setForwarding(Extensions.@Nullable Forwarding extension) {
        forwarding = extension;
    }

    /** Takes an extension out. */
    @SuppressWarnings("ReferenceEquality") // this one, not one like it
    public synchronized void remove(Object extension) {
        captures = Arrays.stream(captures).filter(e -> e != extension).toArray(Extensions.Capture[]::new);
        filters = Arrays.stream(filters).filter(e -> e != extension).toArray(Extensions.Filter[]::new);
        if (forwarding == extension) {
            forwarding = null;
        }
    }

    /** Whether a frame would go to all ports. */
    boolean floods(Frame frame, int vlan, long time) {
        return frame.isMulticast() || table.lookUp(vlan, frame.destination(), time) == null;
    }

    /** How long a port that has taken its share must wait. */
    long shareWait(@Nullable Bandwidth share, int bytes, long time) {
        Bandwidth all = common;
        if (all == null) {
            return 0;
        }
        long wait = all.take(bytes, time);
        long own = share == null ? wait : share.take(bytes, time);
        return own <= 0 ? 0 : Math.min(own, wait);
    }

    void forward(SwitchPort from, Frame frame, int vlan, long time) {
        if (time - nextAgeing > 0) {
            nextAgeing = time + ageNanos;
            table.age(time);
        }
        table.learn(vlan, frame.source(), from, time);
        for (Extensions.Capture capture : captures) {
            capture.entered(frame, from);
        }
        for (Extensions.Filter filter : filters) {
            if (!filter.passesIn(frame, from)) {
                from.dropped(Drop.EXTENSION);
                return;
            }
        }
        boolean mirroring = mirrors;
        if (mirroring) {
            frame.hold(); // a guest must not show the mirror another content than the receiver
        }
        if (mirroring && from.settings().mirror() == PortSettings.Mirror.SOURCE) {
            mirror(frame, vlan);
            mirroring = false; // once is enough
        }
        Extensions.Forwarding chooser = forwarding;
        if (chooser != null
                && chooser.forward(frame, from, vlan, to -> {
                    if (to != from) {
                        to.leave(from, frame, vlan);
                    }
                })) {
            return;
        }
        SwitchPort only = frame.isMulticast() ? null : table.lookUp(vlan, frame.destination(), time);
        if (only != null) {
            if (only != from) {
                leave(only, from, frame, vlan, mirroring);
            }
            return;
        }
        frame.hold(); // looked at by many: copied once
        for (SwitchPort port : ports) {
            if (port != from) {
                mirroring = leave(port, from, frame, vlan, mirroring);
            }
        }
    }

    /** Returns whether the frame is still to be mirrored: once is enough. */
    private boolean leave(SwitchPort port, SwitchPort from, Frame frame, int vlan, boolean mirroring) {
        port.leave(from, frame, vlan);
        if (!mirroring
                || port.settings().mirror() != PortSettings.Mirror.SOURCE
                || port.settings().vlan().leaving(vlan) < 0) {
            return mirroring;
        }
        mirror(frame, vlan);
        return false;
    }

    private void mirror(Frame frame, int vlan) {
        for (SwitchPort port : ports) {
            if (port.settings().mirror() == PortSettings.Mirror.DESTINATION) {
                port.give(frame, vlan);
            }
        }
    }

    boolean passesOut(Frame frame, SwitchPort from, SwitchPort to) {
        for (Extensions.Filter filter : filters) {
            if (!filter.passesOut(frame, from, to)) {
                return false;
            }
        }
        return true;
    }

    void leaving(Frame frame, SwitchPort to) {
        for (Extensions.Capture capture : captures) {
            capture.leaving(frame, to);
        }
    }

    @Override
    public String toString() {
        return "switch " + name;
    }
}
