package io.javisor.storage.npiv;

import io.javisor.linux.LinuxException;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.state.StateException;
import io.javisor.storage.fibrechannel.FabricLogin;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.scsi.RemotePort;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A virtual port, from when it is made to when it is deleted. A thread follows what Linux sees through it, and has Linux look:
 * Linux neither looks for units that come later by itself, nor forgets those that go.
 *
 * <p>A unit stays known while its target port can't be reached. It is gone when its target, reached again, does not list it.
 */
final class NpivLogin implements FabricLogin {
    private static final System.Logger LOG = System.getLogger("io.javisor.storage.npiv");

    /** A fabric answers within fractions of a second; drivers try again every two, three times. */
    private static final long LOGIN_NANOS = TimeUnit.SECONDS.toNanos(20);

    /** How long the first look waits for target ports, of which there may be none. What comes later is told to the guest. */
    private static final long TARGETS_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** How long it waits for a unit of each of them, of which there may be none, either. */
    private static final long UNITS_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** How long it waits for those that a target lists, or that a guest has seen before it was saved. */
    private static final long LISTED_NANOS = TimeUnit.SECONDS.toNanos(20);

    private static final long POLL_MILLIS = 50;
    private static final long LOOK_MILLIS = 1000;
    /** How many looks there are between questions for the list of units. */
    private static final int LOOKS_A_LIST = 5;

    /** A link that was pulled and put back is logged in again within some seconds. After these, commands to a target port that is lost end with an error; Linux waits longer before it gives it up. */
    private static final int FAIL_SECONDS = 10;

    private final NpivSan san;
    private final HostAdapter adapter;
    private final NpivSan.Places places;
    private final Wwn node;
    private final Wwn name;
    private final Runnable changed;
    private final Map<Integer, PassedTarget> targets = new ConcurrentSkipListMap<>();
    private final Set<String> complaints = new HashSet<>();
    private final Semaphore wake = new Semaphore(0);
    private final Thread follower;
    private volatile boolean closed;
    private int host = -1;
    private int looks;
    private boolean listNow = true;

    NpivLogin(NpivSan san, HostAdapter adapter, NpivSan.Places places, Wwn node, Wwn name, Runnable changed) {
        this.san = san;
        this.adapter = adapter;
        this.places = places;
        this.node = node;
        this.name = name;
        this.changed = changed;
        follower = Thread.ofPlatform().daemon().name("npiv-" + name.hex()).unstarted(this::follow);
    }

    /**
     * Waits until the port is logged in, and looks for units.
     *
     * @throws HypervisorException with code {@code fc-login-refused}
     */
    void begin() {
        long begun = System.nanoTime();
        while (!isOnline()) {
            if (System.nanoTime() - begun > LOGIN_NANOS) {
                throw new HypervisorException(
                        "fc-login-refused",
                        "the fabric of " + adapter.host() + " has not let " + name + " in within "
                                + TimeUnit.NANOSECONDS.toSeconds(LOGIN_NANOS) + " s; the kernel says: "
                                + adapter.state(name),
                        "see whether the switch allows NPIV and as many logins at that port, and whether the name is logged in "
                                + "from elsewhere");
            }
            pause();
        }
        long online = System.nanoTime();
        do {
            look(false);
            pause();
        } while (System.nanoTime() - online < patience());
        follower.start();
    }

    /** How long what is still missing is waited for. */
    private synchronized long patience() {
        if (targets.isEmpty()) {
            return TARGETS_NANOS;
        }
        boolean isComplete = true;
        for (PassedTarget target : targets.values()) {
            if (target.units().isEmpty()) {
                return UNITS_NANOS;
            }
            Set<Long> listed = target.list();
            isComplete &=
                    listed != null && listed.stream().allMatch(lun -> lun >= LUNS || target.answersFor(lun.intValue()));
        }
        return isComplete ? 0 : LISTED_NANOS;
    }

    private boolean isOnline() {
        if (host < 0) {
            OptionalInt found = adapter.find(name);
            found.ifPresent(number -> host = number);
        }
        return host >= 0 && adapter.isOnline(host);
    }

    private static void pause() {
        try {
            Thread.sleep(POLL_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HypervisorException("fc-port", "interrupted while a virtual port logs in", null);
        }
    }

    private void follow() {
        while (!closed) {
            try {
                wake.tryAcquire(LOOK_MILLIS, TimeUnit.MILLISECONDS);
                wake.drainPermits();
            } catch (InterruptedException e) {
                return;
            }
            if (!closed) {
                try {
                    look(true);
                } catch (RuntimeException e) {
                    complain(String.valueOf(e.getMessage()));
                }
            }
        }
    }

    /** Once for each kind of trouble: it comes back with every look. */
    private void complain(String what) {
        if (complaints.size() < 100 && complaints.add(what)) {
            LOG.log(System.Logger.Level.WARNING, name + " at " + adapter.host() + ": " + what);
        }
    }

    /** A device has said that there are other units than before. */
    private void lunsChanged() {
        listNow = true;
        wake.release();
    }

    /** Takes over what Linux knows, and tells the guest if there is something else than before. */
    private synchronized void look(boolean listing) {
        if (closed) {
            return;
        }
        var scan = new UnitScan(places.sysfs(), host);
        Map<Wwn, UnitScan.Port> ports = scan.ports();
        boolean lists = listing && (listNow || looks++ % LOOKS_A_LIST == 0);
        listNow = false;
        boolean different = false;
        for (UnitScan.Port port : ports.values()) {
            int number = san.target(port.name());
            if (number < 0) {
                complain("more than " + TARGETS + " target ports; " + port.name() + " is left out");
                continue;
            }
            PassedTarget target = targets.get(number);
            if (target == null) {
                target = new PassedTarget(port.name(), places.devices(), this::lunsChanged);
                targets.put(number, target);
            }
            different |= follow(scan, port, target, lists);
        }
        for (PassedTarget target : targets.values()) {
            if (!ports.containsKey(target.name())) {
                target.lost();
            }
        }
        if (different && listing) {
            changed.run();
        }
    }

    private boolean follow(UnitScan scan, UnitScan.Port port, PassedTarget target, boolean lists) {
        attempt(() -> adapter.failSoon(port, FAIL_SECONDS));
        List<UnitScan.Found> units = scan.units(port);
        if (!port.online()) {
            // Linux holds commands for a while: the port may be back soon. Then it fails them, and at last forgets the
            // units.
            if (units.isEmpty()) {
                target.lost();
            }
            return false;
        }
        boolean different = target.show(units, unit -> scan.isStill(port, unit), this::complain);
        if (lists) {
            Set<Long> listed = target.list();
            if (listed == null) {
                // Nobody to ask: Linux asks, if there is a unit at all.
                if (units.isEmpty()) {
                    attempt(() -> adapter.scan(host, port.channel() + " " + port.target() + " -"));
                }
                return different;
            }
            for (UnitScan.Found unit : units) {
                if (!listed.contains(unit.lun())) {
                    different |= target.remove(unit.lun());
                    attempt(() -> adapter.forget(unit));
                }
            }
            for (long lun : listed) {
                if (units.stream().noneMatch(unit -> unit.lun() == lun)) {
                    attempt(() -> adapter.scan(host, port.channel() + " " + port.target() + " " + lun));
                    wake.release(); // and see
                }
            }
            different |= target.keep(listed);
        }
        return different;
    }

    private void attempt(Runnable step) {
        try {
            step.run();
        } catch (LinuxException e) {
            complain(String.valueOf(e.getMessage()));
        }
    }

    @Override
    public @Nullable RemotePort at(int channel, int target) {
        if (closed) {
            return RemotePort.unreachable();
        }
        return channel == 0 ? targets.get(target) : null;
    }

    @Override
    public List<SeenUnit> seen() {
        var all = new ArrayList<SeenUnit>();
        targets.forEach((number, target) -> target.units().forEach((lun, unit) -> {
            byte[] port = ByteBuffer.allocate(Long.BYTES)
                    .putLong(target.name().value())
                    .array();
            all.add(new SeenUnit(0, number, lun, unit.identity(), port));
        }));
        return all;
    }

    /** Target ports take the numbers that they had. What a unit has to say, it says itself. Those that are not there are waited for. */
    @Override
    public void resume(List<SeenUnit> before) {
        renumber(before);
        long begun = System.nanoTime();
        while (true) {
            String missing = missing(before);
            if (missing == null) {
                return;
            }
            if (System.nanoTime() - begun > LISTED_NANOS) {
                throw new StateException(missing);
            }
            wake.release();
            pause();
        }
    }

    private synchronized void renumber(List<SeenUnit> before) {
        var wanted = new java.util.TreeMap<Integer, Wwn>();
        for (SeenUnit unit : before) {
            if (unit.state().length != Long.BYTES) {
                throw new StateException("LUN " + unit.lun() + " of target " + unit.target() + " for " + name
                        + " was at another kind of SAN");
            }
            wanted.put(unit.target(), new Wwn(ByteBuffer.wrap(unit.state()).getLong()));
        }
        if (!san.renumber(wanted)) {
            throw new StateException("target ports for " + name + " at " + san.name()
                    + " have other numbers, which another machine uses: connect the machine to a SAN of its own");
        }
        Map<Wwn, PassedTarget> present = new java.util.TreeMap<>();
        targets.values().forEach(target -> present.put(target.name(), target));
        targets.clear();
        present.forEach((port, target) -> targets.put(san.target(port), target));
        listNow = true;
    }

    /** What of it is not there, or is another unit, in words; null if all is as it was. */
    private synchronized @Nullable String missing(List<SeenUnit> before) {
        for (SeenUnit unit : before) {
            PassedTarget target = targets.get(unit.target());
            PassedUnit now = target == null ? null : target.units().get(unit.lun());
            if (now == null || !now.identity().equals(unit.identity())) {
                return "LUN " + unit.lun() + " of target " + unit.target() + " for " + name + " at " + san.name()
                        + " was " + unit.identity() + ", now it is " + (now == null ? "absent" : now.identity());
            }
        }
        return null;
    }

    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            targets.values().forEach(PassedTarget::lost);
        }
        follower.interrupt();
        san.loggedOut(node, name);
    }
}
