package io.javisor.storage.scsi;

import io.javisor.linux.FileWatch;
import io.javisor.linux.HostFile;
import io.javisor.linux.LinuxException;
import io.javisor.storage.disk.DiskException;
import io.javisor.storage.file.LockBytes;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * A unit that several processes of this host have, each for its own initiators, over one raw file: what is reserved is the same in
 * all of them at all times.
 *
 * <p>Each process knows the state and lets commands run by it while it holds a lock ({@link LockBytes#GATE}), shared. Who is about to
 * change the state takes his turn, rings the bell of the {@link SharedStateFile}, and waits for that lock to be his alone: the others
 * let no more commands in, wait for those inside, and give it up. Then he changes the state and writes it, and the others read it
 * before they go on. So no command passes a reservation that has been granted, and none that was let in before is still
 * under way. The kernel frees the locks of a process that ends, whatever ends it; nobody waits longer than {@value CommandGate#PATIENCE_SECONDS}
 * seconds for one that stands still, and then nothing has changed.
 *
 * <p>The state lasts as long as one process has the unit. What it is anew is said by who opens it first.
 */
public final class UnitSharing implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger("io.javisor.storage");
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(CommandGate.PATIENCE_SECONDS);
    private static final long LOOK = TimeUnit.MILLISECONDS.toNanos(1);
    /** Between two changes of one process, so that it does not keep others from theirs. */
    private static final long GAP = TimeUnit.MILLISECONDS.toNanos(5);
    /** The bell is looked at so often even if nothing is heard of it. */
    private static final Duration WATCH = Duration.ofSeconds(1);

    private static final int OPENINGS = 3;

    private final Path image;
    // Three openings of the image: a lock belongs to an opening, and the watcher's turn is not the changer's.
    private final HostFile members;
    private final HostFile turns;
    private final HostFile watchersTurns;
    private final SharedStateFile file;
    private final FileWatch watch;
    private final Thread watcher;
    private final CommandGate gate = new CommandGate();
    private final ReentrantLock changing = new ReentrantLock(true);
    private final Map<String, Integer> names = new HashMap<>(); // guarded by itself
    private long lastChange = System.nanoTime() - GAP; // guarded by changing
    // Guarded by this object's monitor.
    private State state = NOTHING;
    private long bell;
    private boolean yielded;
    private volatile boolean closed;

    /** What is shared. Called by one thread at a time, while no command is inside. */
    interface State {
        /** The state as it begins. */
        byte[] initial();

        /** Takes over the state. */
        void load(byte[] bytes);

        /** The state as it is now. */
        byte[] save();
    }

    private static final State NOTHING = new State() {
        @Override
        public byte[] initial() {
            return new byte[0];
        }

        @Override
        public void load(byte[] bytes) {
            // nobody is here yet
        }

        @Override
        public byte[] save() {
            return new byte[0];
        }
    };

    private UnitSharing(Path image, List<HostFile> openings, SharedStateFile file, FileWatch watch) {
        this.image = image.toAbsolutePath();
        members = openings.get(0);
        turns = openings.get(1);
        watchersTurns = openings.get(2);
        this.file = file;
        this.watch = watch;
        watcher = Thread.ofPlatform()
                .daemon()
                .name("shared-" + image.getFileName())
                .unstarted(this::watch);
    }

    /** Opens what is shared of an image that is open: the file {@code IMAGE.shared}. A unit has to join it. */
    public static UnitSharing open(Path image) {
        Path beside = image.resolveSibling(image.getFileName() + ".shared");
        var openings = new ArrayList<HostFile>();
        SharedStateFile file = SharedStateFile.open(beside);
        try {
            for (int i = 0; i < OPENINGS; i++) {
                openings.add(HostFile.open(image, HostFile.READ_WRITE));
            }
            return new UnitSharing(image, openings, file, new FileWatch(beside));
        } catch (LinuxException e) {
            openings.forEach(HostFile::close);
            file.close();
            throw new DiskException(
                    DiskException.Kind.OPEN,
                    "sharing " + image + ": " + e.getMessage(),
                    e.call(),
                    e.errno(),
                    "check the path, and the limits of open files and of inotify (fs.inotify.max_user_instances)",
                    e);
        }
    }

    /** Takes part, from now on. */
    void join(State shared) {
        try {
            takeTurn();
        } catch (ScsiError e) {
            throw new DiskException(
                    DiskException.Kind.BUSY,
                    image + " is being changed by another process for more than " + CommandGate.PATIENCE_SECONDS + " s",
                    null,
                    0,
                    "see whether a process that shares it stands still (see: fuser -v " + image + ")",
                    e);
        }
        try {
            synchronized (this) {
                boolean isFirst = !members.isByteLocked(LockBytes.MEMBERS);
                if (!members.tryLockByte(LockBytes.MEMBERS, false) || !members.tryLockByte(LockBytes.GATE, false)) {
                    throw new IllegalStateException("locks of " + image + " are held by another program");
                }
                state = shared;
                if (isFirst) {
                    file.reset(shared.initial());
                } else {
                    byte[] bytes = file.readNew();
                    shared.load(bytes == null ? new byte[0] : bytes);
                }
                bell = file.bell();
                gate.open();
            }
        } finally {
            turns.unlockByte(LockBytes.TURN);
        }
        watcher.start();
    }

    /** Commands are let in here. */
    CommandGate gate() {
        return gate;
    }

    private void takeTurn() {
        long begun = System.nanoTime();
        while (!turns.tryLockByte(LockBytes.TURN, true)) {
            if (System.nanoTime() - begun > PATIENCE) {
                throw ScsiError.busy();
            }
            LockSupport.parkNanos(LOOK);
        }
    }

    /**
     * Does something while no command runs, in no process, and the state is what it was made last. What the state is then is the
     * state for all before this returns.
     *
     * @throws ScsiError BUSY if others do not come to rest; then nothing has happened
     */
    <T> T alone(Supplier<T> what) {
        boolean mine = false;
        try {
            mine = changing.tryLock(PATIENCE, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!mine) {
            throw ScsiError.busy();
        }
        try {
            long rest = lastChange + GAP - System.nanoTime();
            if (rest > 0) {
                LockSupport.parkNanos(rest);
            }
            takeTurn();
            try {
                return change(what);
            } finally {
                turns.unlockByte(LockBytes.TURN);
                lastChange = System.nanoTime();
            }
        } finally {
            changing.unlock();
        }
    }

    private synchronized <T> T change(Supplier<T> what) {
        if (closed) {
            throw ScsiError.check(new Sense(Sense.NOT_READY, 0x0400));
        }
        long begun = System.nanoTime();
        if (!gate.close()) {
            throw ScsiError.busy();
        }
        try {
            bell = file.ring();
            while (!members.tryLockByte(LockBytes.GATE, true)) {
                if (System.nanoTime() - begun > PATIENCE) {
                    throw ScsiError.busy();
                }
                LockSupport.parkNanos(LOOK);
            }
            read();
            byte[] before = state.save();
            try {
                T result = what.get();
                byte[] after = state.save();
                if (!java.util.Arrays.equals(before, after)) {
                    file.write(after);
                }
                return result;
            } catch (RuntimeException | Error e) {
                state.load(before);
                throw e;
            }
        } catch (DiskException e) {
            if (e.kind() == DiskException.Kind.FORMAT) {
                shut(e);
            }
            throw e;
        } finally {
            resume();
        }
    }

    /** What others have made of the state. */
    private void read() {
        byte[] bytes = file.readNew();
        if (bytes != null) {
            state.load(bytes);
        }
    }

    /** While it is this process's turn, so that nobody else has the gate alone: commands run again. */
    private void resume() {
        if (!members.tryLockByte(LockBytes.GATE, false)) {
            shut(new IllegalStateException("its lock is held by another program"));
        }
        yielded = false;
        gate.open();
    }

    /** What is reserved can't be known any more: nobody may do anything. */
    private void shut(RuntimeException why) {
        gate.shut();
        LOG.log(System.Logger.Level.ERROR, "the shared disk " + image + " takes no more commands in this process", why);
    }

    private void watch() {
        while (!closed) {
            watch.await(WATCH);
            try {
                if (yieldIfAsked()) {
                    takeOver();
                }
            } catch (DiskException | LinuxException | IllegalStateException e) {
                if (!closed) {
                    shut(e);
                }
                return;
            }
        }
    }

    /** Gives the gate up if the bell has been rung. */
    private synchronized boolean yieldIfAsked() {
        long rung = closed ? bell : file.bell();
        if (rung == bell) {
            return false;
        }
        bell = rung;
        if (!gate.close()) {
            return false; // who rang does not wait any longer, either
        }
        members.unlockByte(LockBytes.GATE);
        yielded = true;
        return true;
    }

    /** Waits until the change is made, unless one of this process's own has done that. */
    private void takeOver() {
        while (!watchersTurns.tryLockByte(LockBytes.TURN, false)) {
            if (closed || !isYielded()) {
                return;
            }
            LockSupport.parkNanos(LOOK);
        }
        try {
            synchronized (this) {
                if (yielded && !closed) {
                    read();
                    resume();
                }
            }
        } finally {
            watchersTurns.unlockByte(LockBytes.TURN);
        }
    }

    private synchronized boolean isYielded() {
        return yielded;
    }

    /** Keeps a name for this process, as often as it is asked for; false if another has it. */
    boolean claim(String name) {
        synchronized (names) {
            if (!names.containsKey(name) && !members.tryLockByte(LockBytes.name(name), true)) {
                return false;
            }
            names.merge(name, 1, Integer::sum);
            return true;
        }
    }

    /** Gives up a name that was kept. */
    void disclaim(String name) {
        synchronized (names) {
            if (names.computeIfPresent(name, (_, n) -> n == 1 ? null : n - 1) == null && !closed) {
                members.unlockByte(LockBytes.name(name));
            }
        }
    }

    /** Takes no more part; for whom the unit's disk is closed. Idempotent. */
    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            gate.shut();
        }
        watch.wake();
        boolean interrupted = false;
        while (watcher.isAlive()) {
            try {
                watcher.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        watch.close();
        file.close();
        members.close();
        turns.close();
        watchersTurns.close();
    }
}
