package io.javisor.api;

import io.javisor.api.console.Console;
import io.javisor.api.events.MachineStateChange;
import io.javisor.api.events.MemoryChange;
import io.javisor.api.events.StartPhase;
import io.javisor.api.exec.ExecException;
import io.javisor.api.exec.ExecRequest;
import io.javisor.api.exec.ExecResult;
import io.javisor.api.exec.ExecTransport;
import io.javisor.api.state.Leaf;
import io.javisor.api.state.MachineLeaf;
import io.javisor.api.state.ProcessorLeaf;
import io.javisor.api.state.SpecLeaf;
import io.javisor.api.state.StateDraft;
import io.javisor.api.state.StateFolder;
import io.javisor.kvm.gdb.GdbServer;
import io.javisor.kvm.gdb.GdbTarget;
import io.javisor.kvm.partition.CpuOption;
import io.javisor.kvm.partition.KvmPartition;
import io.javisor.linux.LinuxException;
import io.javisor.memory.MachineMemory;
import io.javisor.memory.MemoryPool;
import io.javisor.numa.NumaNode;
import io.javisor.numa.placement.MachineNuma;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.MemoryBacking;
import io.javisor.vmbus.service.HeartbeatService;
import io.javisor.vmbus.service.ShutdownService;
import io.javisor.vmbus.socket.HvSockets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.jspecify.annotations.Nullable;

/**
 * The life of one machine. What lasts from power-on to power-off is a {@link Hardware}; this class makes one at each start and
 * reset, over memory and a console that last longer, and settles what a run's end means. The lock is held while a run is put
 * up or torn down (milliseconds), never while the guest works.
 */
final class Machine implements Hardware.RunListener {
    /** How long the guest's shutdown service may take to say that it will: hv_utils answers at once or never. */
    private static final long SERVICE_PATIENCE = TimeUnit.SECONDS.toNanos(5);

    /** How long other machines may take to give memory up for one that starts. */
    private static final Duration RECLAIM = Duration.ofSeconds(30);

    /** The same for one that can begin with a part of its memory on disk. */
    private static final Duration RECLAIM_BEFORE_PAGING = Duration.ofSeconds(5);

    private final MachineSpec spec;
    private final BootInputs inputs;
    private final GuestRam ram;
    private final Disks disks;
    private final MachineNetwork network;
    private final MachineFibreChannel fibreChannel;
    private final Console console;
    private final EventStream events = new EventStream();
    private final Tally tally = new Tally();
    private final @Nullable MemoryPool pool;
    private final @Nullable MachineMemory memory;
    private final DebugPort debugPort = new DebugPort();
    private final ManagedBeans beans = new ManagedBeans();

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private volatile MachineState state = MachineState.CREATED;
    private volatile @Nullable Outcome outcome;
    private volatile @Nullable Hardware hardware;
    private volatile @Nullable String crashReport;
    private @Nullable SmartPaging paging; // guarded by lock
    private boolean closing; // guarded by lock

    private Machine(
            MachineSpec spec,
            BootInputs inputs,
            GuestRam ram,
            Disks disks,
            MachineFibreChannel fibreChannel,
            MemoryPool shared) {
        this.spec = spec;
        this.inputs = inputs;
        this.ram = ram;
        this.disks = disks;
        disks.tell(events::publish);
        this.network = new MachineNetwork(spec);
        this.fibreChannel = fibreChannel;
        this.console = new Console(spec.name());
        List<Long> boot = spec.numa().nodes().stream().map(NumaNode::memory).toList();
        pool = spec.dynamicMemory().isPresent() ? shared : null;
        memory = spec.dynamicMemory()
                .map(limits ->
                        shared.join(id -> new MachineMemory(id, spec.name(), boot, limits, InstantSource.system())))
                .orElse(null);
        if (memory != null) {
            memory.onEvent(event -> new MemoryChange(spec.name(), event).commit());
        }
    }

    static Machine create(MachineSpec spec, MemoryPool shared) {
        return create(
                spec, StartPhase.timed(spec.name(), StartPhase.Part.FILES, () -> BootInputs.prepare(spec)), shared);
    }

    /** A machine whose files have been looked at. */
    static Machine create(MachineSpec spec, BootInputs inputs, MemoryPool shared) {
        var disks = new Disks(spec);
        disks.check();
        var fibreChannel = new MachineFibreChannel(spec);
        fibreChannel.check();
        GuestRam ram = StartPhase.timed(
                spec.name(), StartPhase.Part.MEMORY, () -> GuestRam.reserve(spec, inputs.addressBits()));
        try {
            return new Machine(spec, inputs, ram, disks, fibreChannel, shared);
        } catch (RuntimeException | Error e) {
            ram.close();
            throw e;
        }
    }

    /** A machine that goes on where it was saved, with processors that this host has; PAUSED. */
    static Machine restore(StateFolder saved, MachineSpec spec, ProcessorModel processors, UUID uuid) {
        var disks = new Disks(spec);
        disks.check();
        var fibreChannel = new MachineFibreChannel(spec);
        fibreChannel.check();
        GuestRam ram = GuestRam.restore(spec, processors.addressBits(), saved);
        Machine machine = new Machine(
                spec, BootInputs.restored(spec, processors, uuid), ram, disks, fibreChannel, HostPool.shared());
        try {
            machine.bringBack(saved);
            return machine;
        } catch (RuntimeException | Error e) {
            machine.close();
            throw e;
        }
    }

    private void bringBack(StateFolder saved) {
        if (pool != null && memory != null) {
            pool.admit(memory, Math.max(memory.limits().minimum(), saved.filledBytes()), RECLAIM);
        }
        lock.lock();
        try {
            openDisks();
            Hardware restored =
                    Hardware.restore(spec, inputs, ram, disks, network, fibreChannel, console, memory, this, saved);
            hardware = restored;
            tally.begun(restored);
            become(MachineState.PAUSED);
        } catch (RuntimeException | Error e) {
            closeDisks();
            throw e;
        } finally {
            lock.unlock();
        }
    }

    MachineSpec spec() {
        return spec;
    }

    MachineState state() {
        return state;
    }

    Optional<Outcome> outcome() {
        return Optional.ofNullable(outcome);
    }

    Console console() {
        return console;
    }

    Disks disks() {
        return disks;
    }

    MachineNetwork network() {
        return network;
    }

    MachineFibreChannel fibreChannel() {
        return fibreChannel;
    }

    private void openDisks() {
        disks.open();
        fibreChannel.open();
    }

    private void closeDisks() {
        disks.close();
        fibreChannel.close();
    }

    void onEvent(Consumer<MachineEvent> listener) {
        events.add(listener);
    }

    ObjectName manage(MBeanServer server) {
        return beans.register(server, new ManagedMachine(this), ManagedMachine.nameOf(spec), true);
    }

    MachineStatistics statistics() {
        return tally.now();
    }

    ProcessorDescription processor() {
        lock.lock(); // so that no run ends meanwhile
        try {
            return ProcessorModel.describe(spec.cpu(), present().partition().processors());
        } finally {
            lock.unlock();
        }
    }

    List<String> threadNames() {
        Hardware running = hardware;
        return running == null ? List.of() : running.partition().threadNames();
    }

    MachineMemory memory() {
        MachineMemory here = memory;
        if (here == null) {
            throw new HypervisorException(
                    "no-dynamic-memory",
                    "machine \"" + spec.name() + "\" keeps its boot memory",
                    "describe it with dynamicMemory(..)");
        }
        return here;
    }

    /** Finds memory for a run of a machine that shares it. Others may take some time to give it up. */
    private void admit(Duration patience) {
        if (pool != null && memory != null) {
            pool.admit(memory, memory.startup(), patience);
        }
    }

    /** Smart Paging is for machines that ran before and can do with less than they start with. */
    private boolean mayPage() {
        return memory != null
                && tally.boots() > 0
                && memory.limits().minimum() < memory.startup()
                && SmartPaging.canPage(ram);
    }

    /** Finds memory for the run that begins; a part may have to be on disk. Called with the lock held. */
    private void makeRoom() {
        if (pool == null || memory == null) {
            return;
        }
        try {
            pool.admit(memory, memory.startup(), Duration.ZERO);
        } catch (HypervisorException e) {
            if (!mayPage()) {
                throw e;
            }
            long lacking = pool.admitPaged(memory);
            if (lacking > 0) {
                paging = new SmartPaging(ram, memory, pool, lacking);
            }
        }
    }

    /** Does something to the memory of a run that goes on; not if it is over. */
    private void whileStill(Hardware run, Runnable step) {
        lock.lock();
        try {
            if (hardware != run) {
                return;
            }
            boolean runs = state == MachineState.RUNNING;
            if (runs) {
                run.partition().hold();
            }
            try {
                run.whileQuiet(step);
            } finally {
                if (runs) {
                    run.partition().release();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void endPaging() {
        SmartPaging now = paging;
        paging = null;
        if (now != null) {
            now.close();
        }
    }

    MachineNuma numa() {
        if (state == MachineState.CLOSED) {
            throw Failure.wrongState("ask", spec.name(), state);
        }
        return ram.numa();
    }

    long residentBytes() {
        if (state == MachineState.CLOSED) {
            return 0;
        }
        try {
            return ram.residentBytes();
        } catch (HypervisorException | IllegalStateException e) {
            if (state == MachineState.CLOSED) {
                return 0; // since the question was asked
            }
            throw e;
        }
    }

    GdbServer debugger(int port) {
        if (state == MachineState.CLOSED) {
            throw Failure.wrongState("debug", spec.name(), state);
        }
        return debugPort.open(spec.name(), port, this::debugged, this::kill);
    }

    private Optional<GdbTarget> debugged() {
        Hardware running = hardware;
        return running == null
                ? Optional.empty()
                : Optional.of(running.partition().debugging());
    }

    void startUnderDebugger() {
        debugPort.requireOpen(spec.name());
        start(true);
    }

    void start() {
        start(false);
    }

    private void start(boolean underDebugger) {
        require("start", MachineState.CREATED, MachineState.STOPPED);
        try {
            admit(mayPage() ? RECLAIM_BEFORE_PAGING : RECLAIM);
        } catch (HypervisorException e) {
            if (!mayPage()) {
                throw e;
            }
        }
        lock.lock();
        try {
            require("start", MachineState.CREATED, MachineState.STOPPED);
            outcome = null;
            powerOn(underDebugger);
        } finally {
            lock.unlock();
        }
    }

    /** Puts a run up; on failure the machine is STOPPED, with the error as its outcome. Called with the lock held. */
    private void powerOn(boolean underDebugger) {
        become(MachineState.STARTING);
        Hardware fresh = null;
        crashReport = null;
        console.mark();
        try {
            makeRoom();
            openDisks();
            fresh = Hardware.assemble(spec, inputs, ram, disks, network, fibreChannel, console, memory, this);
            hardware = fresh;
            tally.begun(fresh);
            if (underDebugger) {
                fresh.partition().waitForDebugger();
            }
            var run = new StartPhase(spec.name(), StartPhase.Part.RUN);
            fresh.partition().start();
            run.commit();
            if (paging != null) {
                Hardware paged = fresh;
                paging.start(spec.name(), step -> whileStill(paged, step));
            }
            become(MachineState.RUNNING);
        } catch (RuntimeException | Error e) {
            hardware = null;
            if (fresh != null) {
                fresh.close();
                tally.ended();
            }
            closeDisks();
            if (memory != null) {
                memory.ended();
            }
            endPaging();
            HypervisorException why = Failure.of(e);
            outcome = new Outcome.Failed(why);
            become(MachineState.STOPPED);
            if (e instanceof LinuxException || e instanceof InternalError) {
                throw why;
            }
            throw e;
        }
    }

    void pause() {
        lock.lock();
        try {
            if (state != MachineState.PAUSED) {
                require("pause", MachineState.RUNNING);
                running().pause();
                become(MachineState.PAUSED);
            }
        } finally {
            lock.unlock();
        }
    }

    void resume() {
        lock.lock();
        try {
            if (state != MachineState.RUNNING) {
                require("resume", MachineState.PAUSED);
                running().resume();
                become(MachineState.RUNNING);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Writes the machine to a folder; not for long under the lock, so that whoever wants to end it can. */
    void save(Path folder, boolean compressed) {
        if (spec.cpu().options().contains(CpuOption.NESTED)) {
            throw new HypervisorException(
                    "save-nested",
                    "machine \"" + spec.name() + "\" has nested virtualization, and can't be saved",
                    "describe its processors without CpuOption.NESTED");
        }
        try (StateDraft draft = StateDraft.begin(folder)) {
            Hardware run;
            boolean wasRunning;
            lock.lock();
            try {
                require("save", MachineState.RUNNING, MachineState.PAUSED);
                requireUnpaged();
                run = running();
                wasRunning = state == MachineState.RUNNING;
                if (wasRunning) {
                    run.pause();
                }
                become(MachineState.SAVING);
            } finally {
                lock.unlock();
            }
            try {
                List<Leaf> leaves = write(draft, run, compressed);
                lock.lock();
                try {
                    requireStill(run);
                    draft.commit(leaves);
                } finally {
                    lock.unlock();
                }
            } catch (RuntimeException e) {
                lock.lock();
                try {
                    requireStill(run); // the end of the machine is the better reason
                    throw e;
                } finally {
                    lock.unlock();
                }
            } finally {
                saved(run, wasRunning);
            }
        }
    }

    private void requireUnpaged() {
        if (memory != null && memory.paged() > 0) {
            throw new HypervisorException(
                    "save-paged",
                    "machine \"" + spec.name() + "\" has " + (memory.paged() >> 20)
                            + " MiB of its memory on disk still, and can't be saved until it is back",
                    "try again when memory().paged() is 0: the host was short of memory when the machine started");
        }
    }

    private List<Leaf> write(StateDraft draft, Hardware run, boolean compressed) {
        var machine = new MachineLeaf(
                Instant.now(),
                inputs.uuid(),
                run.partition().memory().regions().stream()
                        .map(MachineLeaf.Region::of)
                        .toList());
        var leaves = new ArrayList<Leaf>();
        leaves.add(machine.leaf());
        MachineSpec now = spec.withDrives(disks.described())
                .withNetworks(network.described())
                .withFibreChannels(fibreChannel.described());
        leaves.add(SpecLeaf.of(memory == null ? now : now.withDynamicMemory(memory.limits())));
        leaves.add(ProcessorLeaf.of(run.partition().processors(), inputs.topology()));
        leaves.addAll(run.save());
        for (MemoryBacking node : ram.nodes()) {
            draft.memory(node, compressed, () -> isBeingSaved(run));
        }
        return leaves;
    }

    private boolean isBeingSaved(Hardware run) {
        return hardware == run && state == MachineState.SAVING;
    }

    private void requireStill(Hardware run) {
        if (!isBeingSaved(run) || run.ended()) {
            throw Failure.wrongState("save", spec.name(), state == MachineState.SAVING ? MachineState.STOPPED : state);
        }
    }

    private void saved(Hardware run, boolean wasRunning) {
        lock.lock();
        try {
            if (isBeingSaved(run)) {
                boolean goesOn = false;
                try {
                    if (wasRunning) {
                        run.resume();
                        goesOn = true;
                    }
                } finally {
                    become(goesOn ? MachineState.RUNNING : MachineState.PAUSED);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    List<String> registers() {
        lock.lock();
        try {
            boolean wasRunning = state == MachineState.RUNNING;
            if (!wasRunning) {
                require("look into", MachineState.PAUSED);
            }
            KvmPartition partition = running().partition();
            if (wasRunning) {
                partition.hold();
            }
            try {
                return partition.registers();
            } finally {
                if (wasRunning) {
                    partition.release();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    Outcome shutdown(Duration timeout) {
        long deadline = Deadline.after(timeout);
        Hardware asked;
        lock.lock();
        try {
            if (state == MachineState.PAUSED) {
                resume();
            }
            require("shut down", MachineState.RUNNING, MachineState.STOPPED);
            asked = hardware;
        } finally {
            lock.unlock();
        }
        // The service, then the button, then the plug. A guest may have said yes to the service and not do it.
        boolean told = asked != null && shutdownByService(asked, deadline);
        lock.lock();
        try {
            if (asked != null && !(told && waitFor(half(deadline))) && hardware == asked) {
                asked.pressPowerButton();
            }
            if (waitFor(Duration.ofNanos(deadline - System.nanoTime()))) {
                return settled();
            }
        } finally {
            lock.unlock();
        }
        kill();
        return settled();
    }

    private static Duration half(long deadline) {
        return Duration.ofNanos(Math.max(0, (deadline - System.nanoTime()) / 2));
    }

    /** Whether the guest's shutdown service took the request. */
    private static boolean shutdownByService(Hardware asked, long deadline) {
        Integration services = asked.integration();
        if (services == null || !services.shutdown().isReady()) {
            return false;
        }
        Duration left = Duration.ofNanos(Math.clamp(deadline - System.nanoTime(), 1, SERVICE_PATIENCE));
        try {
            services.shutdown()
                    .request(ShutdownService.Kind.SHUTDOWN, false, "shut down by the host", left)
                    .get(left.toNanos(), TimeUnit.NANOSECONDS);
            return true;
        } catch (ExecutionException | TimeoutException e) {
            return false; // refused, or hv_utils is stuck: the button is another way
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    void kill() {
        lock.lock();
        try {
            Hardware running = hardware;
            if (running != null) {
                settle(running, new Outcome.Killed());
            }
        } finally {
            lock.unlock();
        }
    }

    void close() {
        lock.lock();
        try {
            if (state == MachineState.CLOSED) {
                return;
            }
            closing = true;
            kill();
            become(MachineState.CLOSED);
        } finally {
            lock.unlock();
        }
        beans.close();
        debugPort.close();
        console.close();
        ram.close();
        events.close();
        if (pool != null && memory != null) {
            pool.leave(memory);
        }
    }

    Outcome awaitStop(Duration timeout) {
        lock.lock();
        try {
            if (!waitFor(timeout)) {
                throw Failure.timeout("the guest to end", timeout, console);
            }
            return settled();
        } finally {
            lock.unlock();
        }
    }

    void await(Wait what, Duration timeout) {
        long deadline = Deadline.after(timeout);
        switch (what) {
            case Wait.ForConsole text -> {
                // In slices, so that a guest that has ended is noticed although its console says nothing more.
                while (!console.awaitMatch(text.pattern(), Deadline.slice(deadline))) {
                    ensureGoing("the console to show \"" + text.pattern() + "\"", timeout, deadline);
                }
            }
            case Wait.ForShell _ -> {
                while (!shellAnswers(deadline)) {
                    ensureGoing("a shell on the second serial port", timeout, deadline);
                }
            }
        }
    }

    /** False if the time is up, or the run that was asked has ended (another may have begun: a reset). */
    private boolean shellAnswers(long deadline) {
        Hardware asked = hardware;
        if (asked == null) {
            LockSupport.parkNanos(Deadline.slice(deadline).toNanos());
            return false;
        }
        try {
            return asked.exec().ready(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
        } catch (ExecException e) {
            if (hardware == asked && !asked.ended()) {
                throw e;
            }
            // Its end may not be settled yet; then that decides.
            LockSupport.parkNanos(Deadline.slice(deadline).toNanos());
            return false;
        }
    }

    private void ensureGoing(String what, Duration timeout, long deadline) {
        if (state == MachineState.STOPPED || state == MachineState.CLOSED) {
            throw Failure.stopped(what, outcome, console);
        }
        if (System.nanoTime() - deadline >= 0) {
            throw Failure.timeout(what, timeout, console);
        }
    }

    ExecResult exec(ExecRequest request) {
        return present().exec().run(request);
    }

    Optional<ExecTransport> execTransport() {
        Hardware running = hardware;
        return running == null ? Optional.empty() : running.exec().transport();
    }

    /** Called on a vCPU's thread when a run ends by itself: settled on a thread that may wait. */
    @Override
    public void ended(Hardware run, Outcome how) {
        Thread.ofVirtual().name(spec.name() + " settle").start(() -> {
            lock.lock();
            try {
                settle(run, how);
            } finally {
                lock.unlock();
            }
        });
    }

    /** The guest's kernel said that it crashed. What it does next (a dump, a reset) is its own affair. */
    @Override
    public void crashed(Hardware run, long[] parameters, String message) {
        crashReport = message;
        events.publish(new MachineEvent.CrashReported(
                Instant.now(), LongStream.of(parameters).boxed().toList(), message));
    }

    @Override
    public void heartbeat(Hardware run, HeartbeatService.State beats) {
        events.publish(new MachineEvent.HeartbeatChanged(Instant.now(), beats));
    }

    Integration integration() {
        Integration services = present().integration();
        if (services == null) {
            throw Failure.noBus(spec.name(), "integration services need one");
        }
        return services;
    }

    HvSockets sockets() {
        HvSockets sockets = present().sockets();
        if (sockets == null) {
            throw Failure.noBus(spec.name(), "sockets between host and guest need one");
        }
        return sockets;
    }

    /** Tears a run down and decides what follows. Called with the lock held; a run that is over already is ignored. */
    private void settle(Hardware run, Outcome how) {
        if (hardware != run) {
            return;
        }
        Outcome meaning;
        try {
            run.close();
            endPaging();
            tally.ended();
            hardware = null;
            meaning = Failure.panicBehind(how, crashReport, console);
            if (!closing) { // else it goes as a whole
                ram.clear();
            }
            if (meaning instanceof Outcome.Reset && spec.onReset() == ResetAction.RESTART) {
                events.publish(new MachineEvent.Restarted(Instant.now()));
                powerOn(false);
                return;
            }
            closeDisks();
        } catch (RuntimeException | Error e) {
            meaning = new Outcome.Failed(Failure.of(e));
            endPaging();
            closeDisks();
        }
        hardware = null;
        tally.ended();
        outcome = meaning;
        if (state != MachineState.STOPPED) { // a power-on that failed has said so
            become(MachineState.STOPPED);
        }
    }

    private boolean waitFor(Duration timeout) {
        long nanos = Deadline.nanos(timeout);
        try {
            while (state != MachineState.STOPPED && state != MachineState.CLOSED) {
                if (nanos <= 0) {
                    return false;
                }
                nanos = changed.awaitNanos(nanos);
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HypervisorException("interrupted", "interrupted while waiting for " + spec.name(), null);
        }
    }

    private Outcome settled() {
        Outcome how = outcome;
        return how == null ? new Outcome.Killed() : how;
    }

    private Hardware running() {
        Hardware running = hardware;
        if (running == null) {
            throw new IllegalStateException("no hardware in state " + state);
        }
        return running;
    }

    /** The run under way, for calls that don't hold the lock. */
    private Hardware present() {
        Hardware running = hardware;
        if (running == null) {
            throw Failure.wrongState("talk to", spec.name(), state);
        }
        return running;
    }

    private void require(String verb, MachineState... allowed) {
        if (!List.of(allowed).contains(state)) {
            throw Failure.wrongState(verb, spec.name(), state);
        }
    }

    private void become(MachineState next) {
        MachineState before = state;
        state = next;
        changed.signalAll();
        events.publish(new MachineEvent.StateChanged(Instant.now(), before, next));
        var recorded = new MachineStateChange(
                spec.name(),
                before.name(),
                next.name(),
                next == MachineState.STOPPED ? settled().toString() : "");
        recorded.commit();
    }
}
