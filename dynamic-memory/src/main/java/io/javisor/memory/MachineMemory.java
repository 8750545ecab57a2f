package io.javisor.memory;

import io.javisor.memory.balancer.MachineClaim;
import io.javisor.memory.balloon.BalloonListener;
import io.javisor.memory.balloon.BalloonStatus;
import io.javisor.memory.balloon.BalloonTarget;
import io.javisor.memory.balloon.DynamicMemoryDevice;
import io.javisor.memory.balloon.GrowingMemory;
import io.javisor.memory.protocol.DmVersion;
import io.javisor.memory.protocol.GuestReport;
import io.javisor.partition.HypervisorException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The memory of one machine: how it fares, and what it may have. Lives as long as the machine, over resets and restarts. Safe
 * from any thread; sizes in bytes.
 */
public final class MachineMemory {
    /** Samples that are kept: ten minutes, one a second. */
    public static final int HISTORY = 600;

    /** Events that are kept. */
    public static final int EVENTS = 256;

    private static final int SAMPLE_MILLIS = 900;

    private final long id;
    private final String name;
    private final List<Long> boot;
    private final InstantSource clock;
    private final Recent<MemorySample> history = new Recent<>(HISTORY);
    private final Recent<MemoryEvent> events = new Recent<>(EVENTS);
    private final List<Consumer<MemoryEvent>> listeners = new CopyOnWriteArrayList<>();

    private volatile DynamicMemory limits;
    private volatile @Nullable BalloonTarget target;
    private volatile boolean manual;
    private volatile boolean running;
    private volatile long promised;
    private volatile long paged;
    private final LongAdder handedBack = new LongAdder();
    private volatile BalloonStatus status;
    private volatile MemoryStatus health = MemoryStatus.UNKNOWN;
    private volatile List<Integer> hostNodes;
    private @Nullable Run run; // guarded by this
    private Instant sampled = Instant.EPOCH; // the reactor's

    /**
     * A machine that does not run yet.
     *
     * @param id unique among the machines of its pool
     * @param name for messages
     * @param boot its boot memory, by guest node
     * @param limits what it may have
     * @param clock for samples and events
     */
    public MachineMemory(long id, String name, List<Long> boot, DynamicMemory limits, InstantSource clock) {
        this.id = id;
        this.name = name;
        this.boot = List.copyOf(boot);
        this.limits = limits;
        this.clock = clock;
        this.hostNodes = boot.stream().map(_ -> MachineClaim.ANY).toList();
        this.status = stopped();
    }

    /** What the machine may have. */
    public DynamicMemory limits() {
        return limits;
    }

    /** What it starts with. */
    public long startup() {
        return boot.stream().mapToLong(Long::longValue).sum();
    }

    /**
     * Changes what the machine may have. While it runs, Hyper-V's rules hold: the minimum can be lowered and the maximum raised
     * (as far as its {@linkplain DynamicMemory#reach reach}), buffer and weight can be anything. While it does not, all but the
     * reach can be changed.
     *
     * @throws HypervisorException code {@code memory-limits}, with all that is wrong; nothing is changed then
     */
    public synchronized void change(Consumer<DynamicMemory.Builder> changes) {
        DynamicMemory old = limits;
        DynamicMemory next = old.with(changes);
        var problems = new ArrayList<>(next.problems(startup()));
        if (next.reach() != old.reach()) {
            problems.add("reach: can't be changed once the machine is made");
        }
        if (running && next.minimum() > old.minimum()) {
            problems.add("minimum: can only be lowered while the machine runs; it is " + old.minimum());
        }
        if (running && next.maximum() < old.maximum()) {
            problems.add("maximum: can only be raised while the machine runs; it is " + old.maximum());
        }
        if (!problems.isEmpty()) {
            throw new HypervisorException(
                    "memory-limits",
                    "machine \"" + name + "\": " + String.join("; ", problems),
                    running ? "stop the machine to change more" : null);
        }
        limits = next;
        Run now = run;
        if (now != null && next.maximum() != old.maximum()) {
            now.device.maximum(next.maximum());
        }
        tell(new MemoryEvent.LimitsChanged(clock.instant(), next));
    }

    /**
     * Sets what the guest shall have, between minimum and maximum, until {@link #automatic} is called.
     *
     * @throws HypervisorException code {@code memory-limits} if it is outside
     */
    public void target(long bytes) {
        set(BalloonTarget.of(bytes));
    }

    /**
     * Sets what each node of the guest shall have, in all between minimum and maximum, until {@link #automatic} is called.
     * Growth goes where it is asked for; what the guest gives up it chooses itself, and is evened out over time.
     *
     * @throws HypervisorException code {@code memory-limits} if it is outside
     */
    public void target(List<Long> nodes) {
        if (nodes.size() != boot.size()) {
            throw new HypervisorException(
                    "memory-limits",
                    "machine \"" + name + "\" has " + boot.size() + " nodes, the target has " + nodes.size(),
                    null);
        }
        set(new BalloonTarget(nodes.stream().mapToLong(Long::longValue).sum(), nodes));
    }

    private synchronized void set(BalloonTarget wanted) {
        DynamicMemory now = limits;
        if (wanted.bytes() < now.minimum() || wanted.bytes() > now.maximum()) {
            throw new HypervisorException(
                    "memory-limits",
                    "machine \"" + name + "\": a target of " + wanted.bytes() + " bytes is not between its minimum of "
                            + now.minimum() + " and its maximum of " + now.maximum(),
                    null);
        }
        manual = true;
        aim(wanted);
    }

    /** Leaves the target to the pool again, as it is from the start. */
    public void automatic() {
        manual = false;
    }

    /** Whether the target was set by hand. */
    public boolean isManual() {
        return manual;
    }

    private synchronized void aim(BalloonTarget wanted) {
        target = wanted;
        Run now = run;
        if (now != null) {
            now.device.target(wanted);
        }
    }

    /** What the guest may use: what is there without what it has given up; 0 if it does not run. */
    public long assigned() {
        return status.assignedBytes();
    }

    /** What the guest's programs need, with the guest driver's floor; 0 while not known. */
    public long demand() {
        BalloonStatus now = status;
        return now.reports() == 0 ? 0 : now.demand();
    }

    /** Demand in percent of what is assigned; 0 while not known. */
    public int pressure() {
        return sample(status).pressure();
    }

    /** What the guest could hand out without swapping, as it says; 0 while not known. */
    public long available() {
        return status.available();
    }

    /** Whether the machine has what it needs. */
    public MemoryStatus status() {
        return health;
    }

    /** Bytes of the machine's memory that are on disk (Smart Paging): for a while after a restart on a host that was short. */
    public long paged() {
        return paged;
    }

    /** Tells how much of the machine's memory is on disk from now on. */
    public void paged(long bytes) {
        if (paged != bytes) {
            paged = bytes;
            tell(new MemoryEvent.Paged(clock.instant(), bytes));
        }
    }

    /**
     * Bytes that the guest has handed back by itself since the machine was made, each time counted: free pages, which stay its own
     * and are the host's until it uses them again. The guest does so if its processors have {@code cold-pages}.
     */
    public long handedBack() {
        return handedBack.sum();
    }

    /** Tells that the guest has handed so many bytes back. */
    public void handedBack(long bytes) {
        handedBack.add(bytes);
    }

    /** Tells that the host refused memory. */
    public void refused(HypervisorException why) {
        tell(new MemoryEvent.Refused(clock.instant(), String.valueOf(why.getMessage())));
    }

    /** By node: what is assigned, ballooned, added. */
    public BalloonStatus details() {
        return status;
    }

    /** The last ten minutes, a sample a second, oldest first. */
    public List<MemorySample> history() {
        return history.list();
    }

    /** How it stands now. */
    public MemorySample sample() {
        return sample(status);
    }

    private MemorySample sample(BalloonStatus now) {
        BalloonTarget wanted = target;
        return new MemorySample(
                clock.instant(),
                now.assignedBytes(),
                wanted == null ? now.assignedBytes() : wanted.bytes(),
                now.reports() == 0 ? 0 : now.demand(),
                now.balloonedBytes(),
                now.added(),
                now.available(),
                now.resident());
    }

    /** The last things that happened, oldest first. */
    public List<MemoryEvent> events() {
        return events.list();
    }

    /** Calls this at every event, on a thread of the machine's devices; must not block. */
    public void onEvent(Consumer<MemoryEvent> listener) {
        listeners.add(listener);
    }

    private void tell(MemoryEvent event) {
        events.add(event);
        listeners.forEach(listener -> listener.accept(event));
    }

    private BalloonStatus stopped() {
        List<Long> none = boot.stream().map(_ -> 0L).toList();
        return new BalloonStatus(false, 0, none, none, 0, 0, 0, 0, 0, none, false);
    }

    /**
     * The machine is put up: makes the device of this run.
     *
     * @param memory of the guest
     * @param nodes the host node of each guest node, or {@link MachineClaim#ANY}
     * @param threads may wait for the host's memory
     * @return offer it on the bus, and close it before the memory goes; then call {@link #ended}
     */
    public synchronized DynamicMemoryDevice begin(GrowingMemory memory, List<Integer> nodes, Executor threads) {
        hostNodes = List.copyOf(nodes);
        var fresh = new Run();
        var device = new DynamicMemoryDevice(memory, boot.size(), limits.maximum(), threads, fresh);
        fresh.device = device;
        fresh.memory = memory;
        run = fresh;
        running = true;
        promised = 0;
        manual = false;
        target = null;
        status = device.status();
        return device;
    }

    /** The run is over. Idempotent. */
    public synchronized void ended() {
        run = null;
        running = false;
        promised = 0;
        target = null;
        status = stopped();
        health(MemoryStatus.UNKNOWN);
    }

    /** For the pool: whether it runs. */
    boolean isRunning() {
        return running;
    }

    /** For the pool: bytes that it was promised for its start. */
    long promised() {
        return promised;
    }

    void promise(long bytes) {
        promised = bytes;
    }

    /** For the pool: the host node of each guest node, or {@link MachineClaim#ANY}. */
    List<Integer> hostNodes() {
        return hostNodes;
    }

    long id() {
        return id;
    }

    String name() {
        return name;
    }

    /** For the pool: bytes of the host's memory that each node has at this moment. */
    synchronized List<Long> residents() {
        Run now = run;
        if (now == null) {
            return List.of();
        }
        var all = new ArrayList<Long>();
        for (int node = 0; node < boot.size(); node++) {
            all.add(now.memory.residentBytes(node));
        }
        return all;
    }

    /** For the pool: what it asks for. */
    MachineClaim claim(boolean byNode) {
        BalloonStatus now = status;
        DynamicMemory may = limits;
        long assigned = now.assignedBytes();
        // A guest that says nothing keeps what it has.
        boolean known = now.ready() && now.reports() > 0;
        // What programs have reserved leaves out what the guest's kernel uses itself, slabs and page tables among it.
        long demand = known ? Math.max(now.demand(), now.used()) : assigned * 100 / (100 + may.bufferPercent());
        boolean settled = known && !manual;
        long least = settled ? may.minimum() : Math.clamp(assigned, may.minimum(), may.maximum());
        long most = settled ? Math.min(may.maximum(), assigned + now.balloonedBytes() + now.room()) : least;
        var nodes = new ArrayList<MachineClaim.Node>();
        for (int node = 0; node < boot.size(); node++) {
            long share = now.room() * boot.get(node) / Math.max(1, startup());
            long has = now.assigned().get(node);
            nodes.add(new MachineClaim.Node(
                    byNode ? hostNodes.get(node) : MachineClaim.ANY,
                    has + now.ballooned().get(node) + share,
                    has,
                    Math.max(has, promised(node))));
        }
        return new MachineClaim(
                id,
                least,
                Math.max(least, paged > 0 ? Math.min(most, assigned) : most),
                may.bufferPercent(),
                may.weight(),
                demand,
                Math.max(0, now.charged() - paged),
                nodes);
    }

    /** What a node is on its way to. */
    private long promised(int node) {
        BalloonTarget wanted = target;
        if (wanted == null) {
            return 0;
        }
        return wanted.nodes().isEmpty()
                ? (long) ((double) wanted.bytes() * boot.get(node) / startup())
                : wanted.nodes().get(node);
    }

    /** From the pool: what it shall have. */
    void grant(List<Long> nodes) {
        BalloonStatus now = status;
        if (manual || !now.ready() || now.reports() == 0) {
            return;
        }
        var wanted = new BalloonTarget(nodes.stream().mapToLong(Long::longValue).sum(), nodes);
        if (!wanted.equals(target)) {
            aim(wanted);
        }
    }

    private void health(MemoryStatus next) {
        MemoryStatus before = health;
        if (before != next) {
            health = next;
            tell(new MemoryEvent.StatusChanged(clock.instant(), before, next));
        }
    }

    private MemoryStatus judge(BalloonStatus now) {
        if (!now.ready() || now.reports() == 0) {
            return MemoryStatus.UNKNOWN;
        }
        long assigned = now.assignedBytes();
        long demand = now.demand();
        if (demand > assigned) {
            return MemoryStatus.WARNING;
        }
        // Less by two granules is no lack: targets are whole granules, and so is what is asked for.
        long wanted = (long) ((double) demand * (100 + limits.bufferPercent()) / 100);
        return assigned + 2 * DynamicMemory.GRANULE < Math.min(wanted, limits.maximum())
                ? MemoryStatus.LOW
                : MemoryStatus.OK;
    }

    /** Hears the device of one run; an earlier run's last words are not taken for a later one's. */
    private final class Run implements BalloonListener {
        @SuppressWarnings("NullAway.Init") // set right after it is made, before the device is offered
        private DynamicMemoryDevice device;

        @SuppressWarnings("NullAway.Init") // as well
        private GrowingMemory memory;

        private boolean isNow() {
            synchronized (MachineMemory.this) {
                return run == this;
            }
        }

        private void happened(MemoryEvent event) {
            if (isNow()) {
                tell(event);
            }
        }

        @Override
        public void ready(DmVersion version, GuestReport.Capabilities can) {
            happened(new MemoryEvent.DriverReady(clock.instant(), version.toString(), can.balloon(), can.hotAdd()));
        }

        @Override
        public void gone() {
            happened(new MemoryEvent.DriverGone(clock.instant()));
        }

        @Override
        public void status(BalloonStatus now) {
            if (!isNow()) {
                return;
            }
            status = now;
            health(judge(now));
            Instant at = clock.instant();
            if (at.toEpochMilli() - sampled.toEpochMilli() >= SAMPLE_MILLIS) {
                sampled = at;
                history.add(sample(now));
            }
        }

        @Override
        public void ballooned(long asked, long got) {
            happened(new MemoryEvent.Ballooned(clock.instant(), asked, got));
        }

        @Override
        public void unballooned(long bytes) {
            happened(new MemoryEvent.Unballooned(clock.instant(), bytes));
        }

        @Override
        public void hotAdded(int node, long offered, long taken, boolean last) {
            happened(new MemoryEvent.HotAdded(clock.instant(), node, offered, taken, last));
        }

        @Override
        public void overdue(String request) {
            happened(new MemoryEvent.Overdue(clock.instant(), request));
        }

        @Override
        public void notOnline(long bytes) {
            happened(new MemoryEvent.NotOnline(clock.instant(), bytes));
        }

        @Override
        public void strayed(long bytes) {
            happened(new MemoryEvent.Strayed(clock.instant(), bytes));
        }

        @Override
        public void refused(HypervisorException why) {
            happened(new MemoryEvent.Refused(clock.instant(), String.valueOf(why.getMessage())));
        }
    }
}
