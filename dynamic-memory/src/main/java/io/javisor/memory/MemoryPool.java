package io.javisor.memory;

import io.javisor.memory.balancer.Balancer;
import io.javisor.memory.balancer.BalancingPolicy;
import io.javisor.memory.balancer.MachineClaim;
import io.javisor.partition.HypervisorException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Machines that share memory: all of the host's that it does not need itself, or a part of it. Once a second, on a thread of
 * its own that exists while there are machines, it divides what there is. Safe from any thread.
 */
public final class MemoryPool {
    /** Time between rounds. */
    public static final Duration PERIOD = Duration.ofSeconds(1);

    private static final System.Logger LOG = System.getLogger(MemoryPool.class.getName());
    private static final long STARTER = -1; // a machine that is about to start, in claims

    private final long limit;
    private final HostReserve reserve;
    private final Supplier<HostMemory> host;
    private final Path pagingFolder;
    private final Balancer balancer;
    private final Map<Long, MachineMemory> members = new LinkedHashMap<>(); // guarded by this
    private long nextId; // guarded by this
    private @Nullable Thread thread; // guarded by this
    private long starting; // guarded by this: bytes for a machine that is about to start
    private volatile long free;
    private volatile long rounds;

    private MemoryPool(Builder builder) {
        limit = builder.limit;
        host = builder.host;
        pagingFolder = builder.pagingFolder;
        long fixed = builder.reserve;
        reserve = new HostReserve(
                fixed >= 0 ? fixed : Math.max(256L << 20, host.get().total() / 20));
        balancer = new Balancer(builder.policy);
    }

    /** A pool to be described. */
    public static Builder builder() {
        return new Builder();
    }

    /** Collects what a pool is. Not safe for several threads. */
    public static final class Builder {
        private long limit = Long.MAX_VALUE;
        private long reserve = -1;
        private Supplier<HostMemory> host = HostMemory::read;
        private Path pagingFolder = Path.of(System.getProperty("user.home"), ".cache", "javisor", "paging");
        private BalancingPolicy policy = BalancingPolicy.weightedFair();

        private Builder() {}

        /** Gives the machines so many bytes at most, though the host may have more. */
        public Builder limit(long bytes) {
            limit = bytes;
            return this;
        }

        /** Keeps so many bytes for the host; a twentieth of its memory, at least 256 MiB, unless said otherwise. */
        public Builder reserve(long bytes) {
            if (bytes < 0) {
                throw new IllegalArgumentException("reserve of " + bytes + " bytes");
            }
            reserve = bytes;
            return this;
        }

        /** Sets how memory is divided; {@link BalancingPolicy#weightedFair} unless said otherwise. */
        public Builder policy(BalancingPolicy division) {
            policy = division;
            return this;
        }

        /**
         * Sets the folder, on a disk, for the memory of machines that start again while the host is short; {@code
         * ~/.cache/javisor/paging} unless said otherwise.
         */
        public Builder pagingFolder(Path folder) {
            pagingFolder = folder;
            return this;
        }

        /** Asks this for the host's memory, once a round. */
        Builder host(Supplier<HostMemory> source) {
            host = source;
            return this;
        }

        /** The pool; it has no machines yet. */
        public MemoryPool build() {
            return new MemoryPool(this);
        }
    }

    /** Takes a machine in. */
    public synchronized MachineMemory join(LongFunction<MachineMemory> machine) {
        MachineMemory made = machine.apply(nextId++);
        if (thread == null) {
            thread = Thread.ofPlatform().daemon().name("javisor-memory").start(this::loop);
        }
        members.put(made.id(), made);
        return made;
    }

    /** The machine is closed. Idempotent. */
    public synchronized void leave(MachineMemory machine) {
        members.remove(machine.id());
        notifyAll();
    }

    /** The machines. */
    public synchronized List<MachineMemory> machines() {
        return List.copyOf(members.values());
    }

    /** Bytes that nobody had in the last round; negative if machines have more than there is. */
    public long free() {
        return free;
    }

    /** Rounds so far. */
    public long rounds() {
        return rounds;
    }

    /**
     * Finds memory for a machine that is about to start, taking it from others if it must; what it was promised before holds.
     *
     * @param need bytes: what it starts with, or what it had when it was saved
     * @param limitTime how long others may take to give some up
     * @throws HypervisorException code {@code memory-short}, with the numbers, if it is not enough
     */
    public void admit(MachineMemory machine, long need, Duration limitTime) {
        if (machine.promised() > 0) {
            return;
        }
        long end = System.nanoTime() + limitTime.toNanos();
        synchronized (this) {
            round(); // with nothing reserved for us, what is free is up to date
            if (free >= need) {
                machine.promise(need);
                return;
            }
            starting += need;
            try {
                while (true) {
                    long left = end - System.nanoTime();
                    round();
                    if (free >= need) {
                        machine.promise(need);
                        return;
                    }
                    if (left <= 0) {
                        break;
                    }
                    TimeUnit.NANOSECONDS.timedWait(this, Math.min(left, PERIOD.toNanos()));
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } finally {
                starting -= need;
            }
        }
        throw tooShort(machine, need, limitTime);
    }

    /** The folder for the memory of machines that start again while the host is short. */
    public Path pagingFolder() {
        return pagingFolder;
    }

    /**
     * Finds memory for a machine that starts again, where there is not enough for its start: what there is, at least its
     * minimum.
     *
     * @return bytes that it lacks, and that have to be on disk; a multiple of 2 MiB
     * @throws HypervisorException code {@code memory-short}, with the numbers, if there is less than its minimum
     */
    public synchronized long admitPaged(MachineMemory machine) {
        round();
        long least = machine.limits().minimum();
        if (free < least) {
            throw tooShort(machine, least, Duration.ZERO);
        }
        long promised = Math.min(machine.startup(), free) & -DynamicMemory.GRANULE;
        machine.promise(promised);
        return machine.startup() - promised;
    }

    private HypervisorException tooShort(MachineMemory machine, long need, Duration waited) {
        return new HypervisorException(
                "memory-short",
                "machine \"" + machine.name() + "\" needs " + (need >> 20) + " MiB to start, but "
                        + Math.max(0, free >> 20) + " MiB are free, and "
                        + machines().size() + " machines of its pool gave up no more in " + waited.toMillis() + " ms",
                "stop a machine, lower the minimum of others, or give this one less memory to start with");
    }

    private void loop() {
        while (true) {
            synchronized (this) {
                if (members.isEmpty()) {
                    thread = null;
                    return;
                }
                try {
                    round();
                } catch (RuntimeException e) {
                    LOG.log(Level.ERROR, "a round of the memory balancer failed; the next comes", e);
                }
                try {
                    TimeUnit.NANOSECONDS.timedWait(this, PERIOD.toNanos());
                } catch (InterruptedException e) {
                    LOG.log(Level.DEBUG, "nobody interrupts the balancer", e);
                }
            }
        }
    }

    /** What machines may have, by host node: what is available, and what they have; without the host's reserve. */
    private long[] capacity(HostMemory now, List<MachineMemory> machines, long promised) {
        long[] capacity = now.nodes().stream().mapToLong(Long::longValue).toArray();
        for (MachineMemory m : machines) {
            List<Long> residents = m.residents();
            for (int node = 0; node < residents.size(); node++) {
                int where = capacity.length == 1 ? 0 : m.hostNodes().get(node);
                for (int h = 0; h < capacity.length; h++) {
                    if (where == MachineClaim.ANY) {
                        capacity[h] += residents.get(node) / capacity.length;
                    } else if (where == h) {
                        capacity[h] += residents.get(node);
                    }
                }
            }
        }
        long all = Arrays.stream(capacity).sum();
        double part = all <= 0 ? 1 : (double) (Math.min(limit, all - reserve.next(now)) - promised) / all;
        return Arrays.stream(capacity).map(c -> (long) (c * part)).toArray();
    }

    /** One round. */
    synchronized void round() {
        var claims = new ArrayList<MachineClaim>();
        var machines = new ArrayList<MachineMemory>();
        HostMemory now = host.get();
        long promised = 0;
        boolean byNode = now.nodes().size() > 1;
        for (MachineMemory m : members.values()) {
            promised += m.promised();
            if (m.isRunning()) {
                claims.add(m.claim(byNode));
                machines.add(m);
            }
        }
        long[] capacity = capacity(now, machines, promised);
        free = Arrays.stream(capacity).sum()
                - claims.stream()
                        .mapToLong(c -> Math.max(c.charged(), c.promised()))
                        .sum();
        if (starting > 0) {
            // It has nothing yet, and gets all of it or does not start.
            claims.add(new MachineClaim(
                    STARTER,
                    starting,
                    starting,
                    DynamicMemory.DEFAULT_BUFFER,
                    10_000,
                    starting,
                    starting,
                    List.of(new MachineClaim.Node(MachineClaim.ANY, starting, 0))));
        }
        List<Balancer.Target> targets = balancer.round(capacity, claims);
        for (int i = 0; i < machines.size(); i++) {
            machines.get(i).grant(targets.get(i).nodes());
        }
        rounds++;
    }
}
