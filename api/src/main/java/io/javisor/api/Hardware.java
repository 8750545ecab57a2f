package io.javisor.api;

import io.javisor.api.console.Console;
import io.javisor.api.events.StartPhase;
import io.javisor.api.exec.Exec;
import io.javisor.api.state.Leaf;
import io.javisor.api.state.MachineLeaf;
import io.javisor.api.state.StateFolder;
import io.javisor.boot.BootAddresses;
import io.javisor.devices.AcpiPower;
import io.javisor.devices.CmosClock;
import io.javisor.devices.DebugPort;
import io.javisor.devices.EventRegister;
import io.javisor.devices.KeyboardReset;
import io.javisor.devices.LegacyPorts;
import io.javisor.devices.PciHostBridge;
import io.javisor.devices.PowerButton;
import io.javisor.devices.Serial16550;
import io.javisor.devices.VmGenerationId;
import io.javisor.kvm.partition.KvmPartition;
import io.javisor.memory.MachineMemory;
import io.javisor.memory.balloon.DynamicMemoryDevice;
import io.javisor.partition.GuestAddressException;
import io.javisor.partition.acpi.AcpiNode;
import io.javisor.partition.bus.IoBus;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.Stateful;
import io.javisor.partition.synic.SynIc;
import io.javisor.vmbus.VmBus;
import io.javisor.vmbus.channel.ChannelTraffic;
import io.javisor.vmbus.service.HeartbeatService;
import io.javisor.vmbus.socket.HvSockets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a machine consists of from power-on to power-off: a partition, its devices, and a loaded guest. Made by constructors,
 * top to bottom, in {@link #assemble}; nothing finds anything by looking it up.
 */
final class Hardware implements AutoCloseable {
    /** How long devices may take to finish what they are doing before the machine is saved. */
    private static final Duration QUIESCE_LIMIT = Duration.ofSeconds(30);

    /** How long devices may take to finish what they do before memory is moved under them. */
    private static final Duration QUIET = Duration.ofSeconds(5);

    private final KvmPartition partition;
    private final Serial16550 com1;
    private final Serial16550 com2;
    private final PowerButton button;
    private final Exec exec;
    private final IoReactors.@Nullable Lease reactors;
    private final @Nullable VmBus bus;
    private final @Nullable Integration integration;
    private final @Nullable HvSockets sockets;
    private final @Nullable MachineMemory memory;
    private final @Nullable DynamicMemoryDevice balloon;
    private final Disks disks;
    private final MachineNetwork network;
    private final MachineFibreChannel fibreChannel;
    private final List<AcpiNode> described = new ArrayList<>();
    private final List<Stateful> devices = new ArrayList<>(); // in the order in which they are restored
    private final VmGenerationId generation;
    private boolean quiet; // the devices, so that they can be saved, or after a restore
    private final RunEndings endings;

    private Hardware(
            MachineSpec spec,
            GuestRam ram,
            Disks disks,
            MachineNetwork network,
            MachineFibreChannel fibreChannel,
            KvmPartition partition,
            IoReactors.@Nullable Lease reactors,
            Console console,
            @Nullable MachineMemory memory,
            RunEndings endings,
            RunListener listener) {
        this.partition = partition;
        this.reactors = reactors;
        this.endings = endings;
        this.disks = disks;
        this.network = network;
        this.fibreChannel = fibreChannel;
        this.memory = memory;
        var phase = new StartPhase(spec.name(), StartPhase.Part.DEVICES);
        IoBus ports = partition.ports();
        com1 = new Serial16550(
                "serial0", Serial16550.Model.NS16550A, partition.line(LegacyPorts.COM1_GSI), console.sink());
        devices.add(com1);
        ports.claim("serial0", LegacyPorts.COM1, LegacyPorts.SERIAL_PORTS, com1);
        described.add(Serial16550.describe("COM1", 0, LegacyPorts.COM1, LegacyPorts.COM1_GSI));
        console.connect(com1);

        exec = new Exec(spec.name(), () -> Failure.ending(endings.end(), console));
        com2 = new Serial16550(
                "serial1", Serial16550.Model.NS16550A, partition.line(LegacyPorts.COM2_GSI), exec.sink());
        devices.add(com2);
        devices.add(exec);
        ports.claim("serial1", LegacyPorts.COM2, LegacyPorts.SERIAL_PORTS, com2);
        described.add(Serial16550.describe("COM2", 1, LegacyPorts.COM2, LegacyPorts.COM2_GSI));
        exec.connect(com2);

        var clock = new CmosClock(InstantSource.system());
        devices.add(clock);
        ports.claim("clock", LegacyPorts.CMOS, LegacyPorts.CMOS_PORTS, clock);
        described.add(CmosClock.describe());
        var power = new AcpiPower(endings);
        devices.add(power);
        ports.claim("power", LegacyPorts.ACPI_POWER, LegacyPorts.ACPI_POWER_PORTS, power);
        ports.claim("keyboard", LegacyPorts.KEYBOARD_COMMAND, 1, new KeyboardReset(endings));
        var pci = new PciHostBridge(endings);
        devices.add(pci);
        ports.claim("pci", LegacyPorts.PCI_CONFIGURATION, LegacyPorts.PCI_CONFIGURATION_PORTS, pci);
        ports.claim("post code", LegacyPorts.POST_CODE, 1, DebugPort.silent());
        ports.claim("delay", LegacyPorts.DELAY, 1, DebugPort.silent());
        var events = new EventRegister(partition.line(LegacyPorts.ACPI_EVENTS_GSI));
        ports.claim("events", LegacyPorts.ACPI_EVENTS, LegacyPorts.ACPI_EVENTS_PORTS, events);
        devices.add(events);
        generation = new VmGenerationId(partition.memory(), BootAddresses.GENERATION_ID, events, UUID::randomUUID);
        devices.add(generation);
        described.add(generation.describe());
        button = new PowerButton(events);
        described.add(PowerButton.describe());
        described.add(EventRegister.describe());
        SynIc synic = partition.synic().orElse(null);
        if (synic == null || reactors == null) {
            bus = null;
            integration = null;
            sockets = null;
            balloon = null;
        } else {
            bus = new VmBus(partition.memory(), synic, reactors.all(), new BusWatch(spec.name()));
            described.add(VmBus.acpiDevice());
            integration = new Integration(synic, state -> listener.heartbeat(this, state));
            integration.offer(bus);
            sockets = new HvSockets(bus);
            exec.connect(sockets);
            devices.add(bus);
            if (memory == null) {
                balloon = null;
            } else {
                var running = new RunningRam(ram, partition);
                balloon = memory.begin(running, ram.hostNodes(), Hardware::onThread);
                partition.setColdPages((gpa, length) -> memory.handedBack(running.discardCold(gpa, length)));
                bus.add(balloon);
            }
        }
        phase.commit();
    }

    /** Builds the hardware, or nothing of it. */
    private static Hardware make(
            MachineSpec spec,
            BootInputs inputs,
            GuestRam ram,
            Disks disks,
            MachineNetwork network,
            MachineFibreChannel fibreChannel,
            Console console,
            @Nullable MachineMemory memory,
            RunListener listener) {
        var endings = new RunEndings(listener, ram);
        var phase = new StartPhase(spec.name(), StartPhase.Part.PARTITION);
        KvmPartition partition = KvmPartition.create(inputs.partition(), endings, ram.bootRegions());
        phase.commit();
        IoReactors.Lease reactors = null;
        try {
            if (partition.synic().isPresent()) {
                reactors = IoReactors.lease(ram.vcpuHostNodes());
            }
            var hardware = new Hardware(
                    spec, ram, disks, network, fibreChannel, partition, reactors, console, memory, endings, listener);
            endings.of(hardware);
            return hardware;
        } catch (RuntimeException | Error e) {
            partition.close();
            if (reactors != null) {
                reactors.close();
            }
            throw e;
        }
    }

    /**
     * Builds the hardware and loads the guest into it.
     *
     * @param listener hears of the run's end, once or more, on a vCPU's thread
     */
    static Hardware assemble(
            MachineSpec spec,
            BootInputs inputs,
            GuestRam ram,
            Disks disks,
            MachineNetwork network,
            MachineFibreChannel fibreChannel,
            Console console,
            @Nullable MachineMemory memory,
            RunListener listener) {
        Hardware hardware = make(spec, inputs, ram, disks, network, fibreChannel, console, memory, listener);
        try {
            hardware.requireBus(spec.name());
            hardware.plugDevices(spec.name());
            var phase = new StartPhase(spec.name(), StartPhase.Part.LOAD);
            inputs.load(ram.plan(), hardware.partition, List.copyOf(hardware.described));
            phase.commit();
            hardware.generation.place();
            return hardware;
        } catch (RuntimeException | Error e) {
            hardware.close();
            throw e;
        }
    }

    private void requireBus(String machine) {
        if (memory != null && balloon == null) {
            throw Failure.noBus(machine, "dynamic memory needs one");
        }
    }

    /** Gives the guest the memory that it had come to have, before devices look for their rings in it. */
    private void growAsSaved(GuestRam ram, MachineLeaf saved) {
        var running = new RunningRam(ram, partition);
        try {
            saved.beyond(ram.bootRegions()).forEach(r -> running.add(r.node(), r.gpa(), r.length()));
        } catch (GuestAddressException e) {
            throw new StateException("machine: memory where it can't grow: " + e.getMessage());
        }
        saved.requireRegions(partition.memory().regions());
    }

    private void plugDevices(String machine) {
        var phase = new StartPhase(machine, StartPhase.Part.DEVICES);
        if (bus != null) {
            disks.plugInto(bus);
            network.plugInto(bus);
            fibreChannel.plugInto(bus, disks);
        } else if (!disks.isEmpty() || !fibreChannel.isEmpty() || !network.isEmpty()) {
            boolean storage = !disks.isEmpty() || !fibreChannel.isEmpty();
            throw Failure.noBus(machine, storage ? "its disks need one" : "its network adapters need one");
        }
        phase.commit();
    }

    /** Builds the hardware and brings it to where it was saved, over memory that has been restored. It is paused. */
    static Hardware restore(
            MachineSpec spec,
            BootInputs inputs,
            GuestRam ram,
            Disks disks,
            MachineNetwork network,
            MachineFibreChannel fibreChannel,
            Console console,
            @Nullable MachineMemory memory,
            RunListener listener,
            StateFolder saved) {
        Hardware hardware = make(spec, inputs, ram, disks, network, fibreChannel, console, memory, listener);
        try {
            hardware.requireBus(spec.name());
            hardware.growAsSaved(ram, saved.machine());
            hardware.plugDevices(spec.name());
            hardware.partition.setTscFrequency(saved.processors().tscKhz());
            hardware.quiet = true;
            hardware.partition.restore(saved.leaf(hardware.partition.stateName()));
            for (Stateful device : hardware.devices) {
                device.restore(saved.leaf(device.stateName()));
            }
            // The folder may be restored any number of times, so the guest may live this moment again.
            hardware.generation.renew();
            return hardware;
        } catch (RuntimeException | Error e) {
            hardware.close();
            throw e;
        }
    }

    /** Holds the vCPUs; for the guest no time passes until {@link #resume}. */
    void pause() {
        partition.pause();
    }

    /** Lets the guest go on, and tells it what time it is meanwhile. */
    void resume() {
        if (quiet && bus != null) {
            bus.resume();
        }
        quiet = false;
        partition.resume();
        if (integration != null) {
            var _ = integration.time().synchronize(); // a guest without the service keeps its own time
        }
    }

    /** What the paused hardware has to say of itself: everything but memory. Its devices rest from here to the resume. */
    List<Leaf> save() {
        if (bus != null) {
            quiet = true;
            bus.pause(QUIESCE_LIMIT);
        }
        var leaves = new ArrayList<Leaf>();
        devices.forEach(device -> leaves.add(Leaf.of(device)));
        // Last, because devices that come to rest may still interrupt.
        leaves.add(Leaf.of(partition));
        return leaves;
    }

    /** Whether the run is over, though it may not be torn down yet. */
    boolean ended() {
        return endings.end() != null;
    }

    /** Memory is populated and given back in system calls that take milliseconds: on a thread for each. */
    private static void onThread(Runnable work) {
        Thread.ofPlatform().daemon().name("javisor-memory-work").start(work);
    }

    KvmPartition partition() {
        return partition;
    }

    /** By device; empty without a VMBus. At any time. */
    Map<String, ChannelTraffic> channelTraffic() {
        return bus == null ? Map.of() : bus.traffic();
    }

    Exec exec() {
        return exec;
    }

    /** Sockets between host and guest; null without a VMBus. */
    @Nullable
    HvSockets sockets() {
        return sockets;
    }

    /** The integration services; null without a VMBus. */
    @Nullable
    Integration integration() {
        return integration;
    }

    /** Does something while no device touches the guest's memory; the vCPUs are held already. Not if devices don't come to rest. */
    void whileQuiet(Runnable task) {
        VmBus here = bus;
        if (here == null) {
            task.run();
            return;
        }
        here.pause(QUIET);
        try {
            task.run();
        } finally {
            here.resume();
        }
    }

    void pressPowerButton() {
        button.press();
    }

    @Override
    public void close() {
        try {
            closeDevices();
        } finally {
            com1.close(); // before the partition, whose lines they hold: somebody may be typing
            com2.close();
            partition.close();
            if (reactors != null) {
                reactors.close();
            }
        }
    }

    private void closeDevices() {
        partition.end();
        exec.close(); // before its sockets, which would look like a shell that went away
        if (sockets != null) {
            sockets.close();
        }
        if (bus != null) {
            bus.close();
        }
        disks.unplug();
        fibreChannel.unplug(); // its requests ran on the disks' threads
        network.unplug();
        if (balloon != null) {
            balloon.close();
        }
        if (memory != null) {
            memory.ended();
        }
    }

    /** Hears what becomes of a run, on a vCPU's thread; must not block there. */
    interface RunListener {
        void ended(Hardware run, Outcome how);

        void crashed(Hardware run, long[] parameters, String message);

        void heartbeat(Hardware run, HeartbeatService.State state);
    }
}
