package io.javisor.api;

import io.javisor.api.console.Console;
import io.javisor.api.exec.ExecRequest;
import io.javisor.api.exec.ExecResult;
import io.javisor.api.exec.ExecTransport;
import io.javisor.kvm.gdb.GdbServer;
import io.javisor.memory.MachineMemory;
import io.javisor.memory.MemoryPool;
import io.javisor.numa.placement.MachineNuma;
import io.javisor.vmbus.socket.HvSocket;
import io.javisor.vmbus.socket.HvSocketListener;
import java.io.InterruptedIOException;
import java.lang.System.Logger.Level;
import java.lang.ref.Cleaner;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/**
 * A virtual machine. Safe from any thread; calls that wait may be made from virtual threads. Close it: the guest's memory, the
 * kernel's objects and the vCPUs' threads live until then. A machine that was forgotten is closed when it is garbage, with a
 * warning in the log that says where it was made.
 *
 * <pre>
 *            start()            pause()
 *  CREATED ─────────▶ RUNNING ◀────────▶ PAUSED
 *                      │   ▲   resume()     │
 *    power-off, panic, │   │ start()        │ kill()
 *    kill(), reset     ▼   │                │
 *                     STOPPED ◀─────────────┘          close() from everywhere: CLOSED
 * </pre>
 *
 * <p>{@link #save} takes a machine from RUNNING or PAUSED to SAVING and back; {@link #restore} makes one that is PAUSED.
 */
public final class VirtualMachine implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(VirtualMachine.class.getName());
    private static final Cleaner CLEANER = Cleaner.create();

    /** Connections from the guest that may wait to be accepted. */
    private static final int BACKLOG = 128;

    private final Machine machine;
    private final Forgotten forgotten;
    private final Cleaner.Cleanable cleanable;

    private VirtualMachine(Machine machine) {
        this.machine = machine;
        this.forgotten = new Forgotten(machine, new Throwable("the machine was made here"));
        this.cleanable = CLEANER.register(this, forgotten);
    }

    /** Begins a description; {@link MachineBuilder#build()} makes the machine. */
    public static MachineBuilder builder(String name) {
        return new MachineBuilder(name);
    }

    /**
     * Creates a machine: reads the kernel, reserves memory, asks KVM. Nothing runs yet.
     *
     * @throws io.javisor.partition.HypervisorException if the host can't, or an input file is unusable
     */
    public static VirtualMachine create(MachineSpec spec) {
        return create(spec, HostPool.shared());
    }

    /**
     * Creates a machine that shares a pool of memory with others, if it has dynamic memory.
     *
     * @throws io.javisor.partition.HypervisorException if the host can't, or an input file is unusable
     */
    public static VirtualMachine create(MachineSpec spec, MemoryPool pool) {
        return new VirtualMachine(Machine.create(spec, pool));
    }

    /**
     * Prepares what machines of one description have in common, once for all of them: reads the kernel, finds or builds the initial
     * RAM disk, looks at the host's processors. Good for many machines in a short time.
     *
     * @throws io.javisor.partition.HypervisorException if the host can't, or an input file is unusable
     */
    public static MachineTemplate template(MachineSpec spec) {
        return MachineTemplate.of(spec);
    }

    /**
     * Restores a machine that was saved, checking every byte first. It is {@link MachineState#PAUSED}, and {@link #resume} lets
     * it go on. {@link SavedState} does the same for many machines at once, and for clones.
     *
     * @throws io.javisor.partition.HypervisorException code {@code saved-state} if the folder holds none or is damaged, {@code
     *     saved-state-incompatible} if this host can't go on with it
     */
    public static VirtualMachine restore(Path folder) {
        return SavedState.open(folder).restore();
    }

    static VirtualMachine of(Machine machine) {
        return new VirtualMachine(machine);
    }

    /** What the machine is. */
    public MachineSpec spec() {
        return machine.spec();
    }

    /** Where it is in its life. */
    public MachineState state() {
        return machine.state();
    }

    /** How the last run ended; empty while none has. */
    public Optional<Outcome> outcome() {
        return machine.outcome();
    }

    /** Boots the guest, from {@code CREATED} or {@code STOPPED}; returns as soon as its vCPUs run. */
    public VirtualMachine start() {
        machine.start();
        return this;
    }

    /**
     * Lets debuggers in: gdb's {@code target remote localhost:PORT}, one at a time, while the guest runs. To gdb the vCPUs are
     * threads. A session ends with the guest's run, also at a reset; when gdb goes, the guest goes on. Whoever reaches the
     * loopback port controls the guest. Close what this gives to let nobody in any more; the machine's end does it too.
     *
     * @param port of the loopback interface; 0 for a free one
     * @throws io.javisor.partition.HypervisorException code {@code gdb-port} if the port can't be had
     */
    public GdbServer debugger(int port) {
        return machine.debugger(port);
    }

    /**
     * As {@link #start}, but the guest waits at its first instruction until a debugger lets it go.
     *
     * @throws io.javisor.partition.HypervisorException code {@code no-debugger} if {@link #debugger} was not called before
     */
    public VirtualMachine startUnderDebugger() {
        machine.startUnderDebugger();
        return this;
    }

    /** Holds all vCPUs; returns when the last has left the guest. The guest's time stands still meanwhile. */
    public void pause() {
        machine.pause();
    }

    /**
     * Lets paused vCPUs go on, or begin where they were saved. No time has passed for the guest; its clock is set by Hyper-V's
     * time service, if it has that.
     */
    public void resume() {
        machine.resume();
    }

    /**
     * Saves the machine to a folder, from {@code RUNNING} or {@code PAUSED}: processors, devices, memory. It is held meanwhile
     * ({@link MachineState#SAVING}), and then goes on as before; to leave it, {@link #close} it. The folder appears whole or
     * not at all. What is on disks is not saved: a disk must not change between save and restore.
     *
     * @param folder that is not there yet, or is empty
     * @throws io.javisor.partition.HypervisorException code {@code saved-state-exists} if something is in the folder, {@code
     *     saved-state-write} if it can't be written, {@code vmbus-pause} if a device does not come to rest within 30 s, {@code
     *     wrong-state} or {@code closed} if the machine ended meanwhile; the machine goes on then, if it can
     */
    public void save(Path folder, SaveOption... options) {
        machine.save(folder, List.of(options).contains(SaveOption.COMPRESSED));
    }

    /**
     * Asks the guest to shut itself down: by Hyper-V's shutdown service, by the power button if it has none or has not done what
     * it promised in half of the time, and in the end by switching the power off.
     *
     * @return how it ended: {@link Outcome.PoweredOff} if the guest did it, {@link Outcome.Killed} if time ran out
     */
    public Outcome shutdown(Duration timeout) {
        return machine.shutdown(timeout);
    }

    /** Switches the power off; returns when nothing of the guest runs any more. Does nothing if it has ended already. */
    public void kill() {
        machine.kill();
    }

    /**
     * Waits until the guest has ended.
     *
     * @throws io.javisor.partition.HypervisorException with code {@code timeout} and the console's tail
     */
    public Outcome awaitStop(Duration timeout) {
        return machine.awaitStop(timeout);
    }

    /**
     * Waits for something to happen.
     *
     * @throws io.javisor.partition.HypervisorException with code {@code timeout}, or {@code guest-stopped} if the guest ended
     *     first, and the console's tail as evidence
     */
    public VirtualMachine await(Wait what, Duration timeout) {
        machine.await(what, timeout);
        return this;
    }

    /** The first serial port: the guest's console. */
    public Console console() {
        return machine.console();
    }

    /**
     * Runs a program in the guest and waits for its end, through a shell on the guest's second serial port (the built
     * initramfs has one), and from there, if the guest has what that takes, through one on a socket. Commands run one after
     * another.
     */
    public ExecResult exec(String... command) {
        return exec(ExecRequest.of(command));
    }

    /** Runs a program in the guest with standard input, environment or time-out as the request says. */
    public ExecResult exec(ExecRequest request) {
        return machine.exec(request);
    }

    /** By what way the last program of {@code exec} went into the guest in this run; empty if there was none. */
    public Optional<ExecTransport> execTransport() {
        return machine.execTransport();
    }

    /** Calls this on every change of state and every crash report, from a virtual thread, in order. */
    public void onEvent(Consumer<MachineEvent> listener) {
        machine.onEvent(listener);
    }

    /**
     * Registers the machine as a management bean ({@link io.javisor.api.management.MachineMXBean}), until it is closed. Costs
     * nothing while nobody asks.
     *
     * @return {@code io.javisor:type=Machine,name="NAME"}, with {@code ,number=N} where others have that name
     * @throws io.javisor.partition.HypervisorException code {@code jmx} if the server refuses it
     */
    public ObjectName manage(MBeanServer server) {
        return machine.manage(server);
    }

    /** What the machine has done since it was created; at any time. */
    public MachineStatistics statistics() {
        return machine.statistics();
    }

    /**
     * The integration services of the present run: shutdown, time, heartbeat, keys and values, backup.
     *
     * @throws io.javisor.partition.HypervisorException with code {@code no-vmbus} on a host without KVM's Hyper-V
     *     enlightenments
     */
    public Integration integration() {
        return machine.integration();
    }

    /**
     * Connects to a program in the guest that listens on an AF_VSOCK port; the guest needs the hv_sock module. Blocks: good for
     * virtual threads. The socket ends with the guest's run.
     *
     * @param port of the guest, unsigned
     * @param limit how long to wait: a guest in which nobody listens says nothing at all
     * @throws io.javisor.partition.HypervisorException if nobody took the connection in time, or with code {@code no-vmbus}
     * @throws InterruptedIOException if the thread is interrupted
     */
    public HvSocket connect(int port, Duration limit) throws InterruptedIOException {
        return machine.sockets().connect(port, limit);
    }

    /**
     * Listens on a port of the host, on which programs in this guest may connect (AF_VSOCK, CID 2). The listener ends with the
     * guest's run.
     *
     * @param port unsigned
     * @throws io.javisor.partition.HypervisorException if somebody listens there already, or with code {@code no-vmbus}
     */
    public HvSocketListener listen(int port) {
        return machine.sockets().listen(port, BACKLOG);
    }

    /** The machine's network adapters, and the means to plug them into something else, to add others and to remove them. */
    public MachineNetwork network() {
        return machine.network();
    }

    /** The machine's disks and DVD drives, and the means to plug in others and to pull them out. */
    public Disks disks() {
        return machine.disks();
    }

    /** The Fibre Channel adapters, to add, remove, connect and switch while the guest runs or without. */
    public MachineFibreChannel fibreChannel() {
        return machine.fibreChannel();
    }

    /**
     * How the machine's memory follows its need, and what it may have.
     *
     * @throws io.javisor.partition.HypervisorException with code {@code no-dynamic-memory} if it keeps its boot memory
     */
    public MachineMemory memory() {
        return machine.memory();
    }

    /**
     * The processors that the guest has now: what was asked for, whose they are, and how fast their time stamp counter is.
     *
     * @throws io.javisor.partition.HypervisorException code {@code wrong-state} if it has not been started
     */
    public ProcessorDescription processor() {
        return machine.processor();
    }

    /** Where the machine's memory and vCPUs lie on the host's NUMA nodes, and the means to move them. */
    public MachineNuma numa() {
        return machine.numa();
    }

    /** Bytes of the host's memory that the guest holds now: what it has touched and not given back. */
    public long residentBytes() {
        return machine.residentBytes();
    }

    /** The vCPUs' registers as text, one entry each: where a guest that hangs is. Holds them for a moment if they run. */
    public List<String> registers() {
        return machine.registers();
    }

    /** The vCPUs' thread names, for profilers and for pinning; empty unless running or paused. */
    List<String> threadNames() {
        return machine.threadNames();
    }

    /** Ends the guest and gives everything back; from any thread and state, and twice is fine. */
    @Override
    public void close() {
        forgotten.closedByOwner = true;
        cleanable.clean();
    }

    @Override
    public String toString() {
        return "VirtualMachine[" + machine.spec().name() + ", " + machine.state() + "]";
    }

    /** Closes the machine; holds no reference to its façade, which therefore can become garbage. */
    private static final class Forgotten implements Runnable {
        private final Machine machine;
        private final Throwable made;
        private volatile boolean closedByOwner;

        Forgotten(Machine machine, Throwable made) {
            this.machine = machine;
            this.made = made;
        }

        @Override
        public void run() {
            if (!closedByOwner) {
                LOG.log(
                        Level.WARNING,
                        "machine \"" + machine.spec().name() + "\" was never closed; use try-with-resources",
                        made);
            }
            machine.close();
        }
    }
}
