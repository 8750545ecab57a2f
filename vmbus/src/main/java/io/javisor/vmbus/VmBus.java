package io.javisor.vmbus;

import io.javisor.partition.GuestMemory;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.acpi.AcpiDevice;
import io.javisor.partition.reactor.Reactor;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.partition.state.Stateful;
import io.javisor.partition.synic.HvStatus;
import io.javisor.partition.synic.SynIc;
import io.javisor.vmbus.bus.BusControl;
import io.javisor.vmbus.channel.ChannelDevice;
import io.javisor.vmbus.channel.ChannelTraffic;
import io.javisor.vmbus.protocol.VmBusVersion;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The VMBus of one machine. Safe from any thread; its own state lives on the first reactor, each channel's on one of them. Calls
 * that answer wait for that reactor, so don't make them on another machine's.
 *
 * <p>Life: construct; {@link #add} devices; run the machine; {@link #close}. To save: stop the vCPUs, {@link #pause},
 * {@link #save}, then {@link #resume} or close. To restore: construct, add the same devices, {@link #restore} (which leaves the
 * bus paused), {@link #resume}, run.
 */
public final class VmBus implements Stateful, AutoCloseable {
    private static final Duration CLOSE_LIMIT = Duration.ofSeconds(5);

    private final SynIc synIc;
    private final Reactor reactor;
    private final BusControl control;

    /**
     * A bus without devices. The guest's messages arrive from now on.
     *
     * @param memory of the guest
     * @param synIc of the machine
     * @param reactors at least one; channels are spread over all
     * @param listener hears what happens
     */
    public VmBus(GuestMemory memory, SynIc synIc, List<? extends Reactor> reactors, VmBusListener listener) {
        this.synIc = synIc;
        reactor = reactors.getFirst();
        control = new BusControl(memory, synIc, List.copyOf(reactors), listener);
        synIc.setMessagePort(control.messages());
    }

    /** What the guest's ACPI namespace must hold for the driver to load: device VMBS, with the hardware ID "VMBUS". */
    public static AcpiDevice acpiDevice() {
        return new AcpiDevice("VMBS", "VMBUS", 0, List.of());
    }

    /** The reactor of the bus itself. */
    public Reactor reactor() {
        return reactor;
    }

    /** The SynIC that the bus stands on. */
    public SynIc synIc() {
        return synIc;
    }

    /** The version that the guest's driver and the bus agreed on, or null if none is connected. */
    public @Nullable VmBusVersion version() {
        return control.version();
    }

    /**
     * What has gone through the channels, by device (named as in saved state); all sockets together are {@code sockets}. A device is
     * there from its channel's first opening on, and stays when it is closed or removed. At any time, without holding anybody up.
     */
    public Map<String, ChannelTraffic> traffic() {
        return control.traffic();
    }

    /**
     * Offers a device, at once or when the guest asks.
     *
     * @throws HypervisorException if an offer of the same kind and instance is there, or no channel ID is free
     */
    public DeviceOffer add(ChannelDevice device) {
        return add(device, false);
    }

    /**
     * Offers a device that lives no longer than the guest's connection, and is neither saved nor offered again: a socket.
     *
     * @throws HypervisorException if no channel ID is free
     */
    public DeviceOffer addTransient(ChannelDevice device) {
        return add(device, true);
    }

    private DeviceOffer add(ChannelDevice device, boolean brief) {
        if (device.maxPacketBytes() < 16
                || device.maxPacketBytes() > 8 * 0xFFFF
                || device.maxPacketsHeld() < 1
                || device.maxPacketsHeld() > 65_536) {
            throw new IllegalArgumentException("device " + device.stateName() + " takes packets of "
                    + device.maxPacketBytes() + " bytes, and holds " + device.maxPacketsHeld());
        }
        call(() -> {
            control.add(device, brief);
            return null;
        });
        return () -> reactor.execute(() -> control.remove(device));
    }

    /** Sets who answers the guest's requests for sockets; before, they are refused. */
    public void setSocketConnector(SocketConnector connector) {
        call(() -> {
            control.setSocketConnector(connector);
            return null;
        });
    }

    /**
     * Stops taking messages and packets.
     *
     * @return completes on the bus's reactor when no device holds any
     */
    public CompletableFuture<@Nullable Void> quiesce() {
        CompletableFuture<@Nullable Void> quiet = new CompletableFuture<>();
        run(() -> control.pause(() -> quiet.complete(null)));
        return quiet;
    }

    /**
     * Stops taking messages and packets, and waits until no device holds any. Not to be called on the bus's reactor.
     *
     * @param limit how long to wait
     * @throws HypervisorException if a device does not finish in time; the bus goes on then
     */
    public void pause(Duration limit) {
        try {
            await(quiesce(), limit);
        } catch (TimeoutException e) {
            resume();
            throw new HypervisorException(
                    "vmbus-pause",
                    "devices on the VMBus still work on requests after " + limit.toMillis() + " ms",
                    "give them more time, or look at what their storage or network is doing");
        }
    }

    /** Goes on after {@link #pause} or {@link #restore}. */
    public void resume() {
        run(control::resume);
    }

    @Override
    public String stateName() {
        return "vmbus";
    }

    @Override
    public int stateVersion() {
        return 1;
    }

    /** Writes the bus, its channels and its devices; paused. */
    @Override
    public void save(StateWriter out) {
        call(() -> {
            control.save(out);
            return null;
        });
    }

    /** Reads what {@link #save} wrote, and waits until every device has what it needs; not to be called on a reactor. */
    @Override
    public void restore(StateReader in) {
        in.requireVersion(stateVersion());
        try {
            List<BusControl.Hop> hops = call(() -> control.restore(in));
            for (BusControl.Hop hop : hops) {
                on(hop.reactor(), () -> {
                    hop.task().run();
                    return null;
                });
            }
            call(control::devices).forEach(ChannelDevice::awaitRestored);
        } catch (StateException e) {
            throw e;
        } catch (HypervisorException | IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new StateException("vmbus: " + e.getMessage());
        }
    }

    /**
     * Closes all channels, and waits a little for devices to let go (not at all if called on the bus's reactor). The vCPUs have
     * stopped. The devices themselves are closed by whoever made them. Idempotent.
     */
    @Override
    public void close() {
        synIc.setMessagePort((connection, type, payload) -> HvStatus.INVALID_CONNECTION_ID);
        CompletableFuture<@Nullable Void> closed = new CompletableFuture<>();
        run(() -> control.close(() -> closed.complete(null)));
        if (reactor.isCurrent()) {
            return;
        }
        try {
            await(closed, CLOSE_LIMIT);
        } catch (TimeoutException e) {
            // A device that hangs must not hang whoever closes the machine; its packets keep what they need.
            return;
        }
    }

    private void run(Runnable task) {
        if (reactor.isCurrent()) {
            task.run();
        } else {
            reactor.execute(task);
        }
    }

    private <T extends @Nullable Object> T call(Supplier<T> task) {
        return on(reactor, task);
    }

    private static <T extends @Nullable Object> T on(Reactor reactor, Supplier<T> task) {
        if (reactor.isCurrent()) {
            return task.get();
        }
        try {
            return CompletableFuture.supplyAsync(task, reactor).join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    private static void await(CompletableFuture<@Nullable Void> done, Duration limit) throws TimeoutException {
        boolean interrupted = false;
        long end = System.nanoTime() + limit.toNanos();
        try {
            while (true) {
                try {
                    done.get(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
                    return;
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    throw new AssertionError(e);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
