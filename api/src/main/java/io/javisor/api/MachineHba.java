package io.javisor.api;

import io.javisor.storage.fibrechannel.FibreChannelSan;
import io.javisor.storage.fibrechannel.PortNames;
import io.javisor.storage.fibrechannel.WwnSet;
import io.javisor.storage.storvsp.FibreChannelAdapter;
import io.javisor.vmbus.DeviceOffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A Fibre Channel adapter of a machine, which may be connected elsewhere while the guest runs. Safe from any thread. */
public final class MachineHba {
    private final MachineFibreChannel machine;
    private final int number;
    private final PortNames names;
    private FibreChannelSpec spec;
    private @Nullable Run run;

    /** What there is of it while the machine runs. */
    private record Run(FibreChannelAdapter adapter, DeviceOffer offer) {}

    MachineHba(MachineFibreChannel machine, int number, PortNames names, FibreChannelSpec spec) {
        this.machine = machine;
        this.number = number;
        this.names = names;
        this.spec = spec;
    }

    /** Its number in the machine, from 0. */
    public int number() {
        return number;
    }

    /** What it is, and what it is connected to. */
    public synchronized FibreChannelSpec spec() {
        return spec.named(names, spec.active());
    }

    /** Its names, given or from this host's range. */
    public PortNames names() {
        return names;
    }

    /** The set of names that it is logged in with, or would be. */
    public synchronized WwnSet active() {
        return spec.active();
    }

    /** The SAN that it is connected to; one of the machine's own is there only while the machine is started. */
    public Optional<FibreChannelSan> san() {
        return switch (spec().attachment()) {
            case FibreChannelSpec.Attachment.None _ -> Optional.empty();
            case FibreChannelSpec.Attachment.San(var san) -> Optional.of(san);
            case FibreChannelSpec.Attachment.Files(var name, var _, var _) ->
                machine.san(name).map(san -> san);
            case FibreChannelSpec.Attachment.Npiv(var host) ->
                machine.npiv(host).map(san -> san);
        };
    }

    /**
     * Switches to a set of names, as a machine does that moves: the other set is logged in before this one is logged out, and the
     * guest goes on. Reservations stay with the name that made them. The guest's {@code fc_host} keeps the names of when the
     * adapter was offered.
     *
     * @throws io.javisor.partition.HypervisorException if the login is refused; nothing has changed then
     */
    public synchronized void activate(WwnSet set) {
        Run now = run;
        if (now != null) {
            now.adapter().activate(set);
        }
        spec = spec.named(names, set);
    }

    /**
     * Connects it to a SAN of the application's. Units that the guest has seen must be there, under the same addresses, unless it
     * was connected to nothing before it started.
     *
     * @param fabric which of the SAN's; empty for its first
     * @throws io.javisor.partition.HypervisorException if the login is refused, or another unit is where the guest has seen one;
     *     it is connected to nothing then
     */
    public synchronized void connect(FibreChannelSan san, String fabric) {
        Run now = run;
        if (now != null) {
            try {
                now.adapter().connect(san, fabric);
            } catch (RuntimeException e) {
                spec = spec.at(new FibreChannelSpec.Attachment.None(san.name()), fabric);
                throw e;
            }
        }
        spec = spec.at(new FibreChannelSpec.Attachment.San(san), fabric);
    }

    /** Pulls its cable out: the guest's commands end with errors until it is connected again. */
    public synchronized void disconnect() {
        Run now = run;
        if (now != null) {
            now.adapter().disconnect();
        }
        spec = spec.at(new FibreChannelSpec.Attachment.None(""), "");
    }

    /** What would make the same adapter again, with the same names. An application's SAN is the application's to bring. */
    synchronized FibreChannelSpec described() {
        DescribedSans.requireSaved(spec);
        FibreChannelSpec named = spec();
        return named.attachment() instanceof FibreChannelSpec.Attachment.San(var san)
                ? named.at(new FibreChannelSpec.Attachment.None(san.name()), named.fabric())
                : named;
    }

    /** Offers it to a guest that runs or is about to; connected first, so that the guest finds its targets in its first scan. */
    synchronized void start(MachineFibreChannel.Plugged on, @Nullable FibreChannelSan san, String fabric) {
        var adapter =
                new FibreChannelAdapter(number, names, spec.active(), on.workers(), on.subChannels(), on.copies());
        if (san != null) {
            adapter.connect(san, fabric);
        }
        try {
            run = new Run(adapter, on.bus().add(adapter));
        } catch (RuntimeException | Error e) {
            adapter.disconnect();
            throw e;
        }
    }

    /** Takes it away from a guest that runs. */
    synchronized void remove() {
        Run now = run;
        if (now != null) {
            now.offer().close();
            stop();
        }
    }

    /** The run is over, or the guest has lost it. */
    synchronized void stop() {
        Run now = run;
        run = null;
        if (now != null) {
            now.adapter().disconnect();
        }
    }

    @Override
    public String toString() {
        return "Fibre Channel adapter " + number + " (" + names.port(active()) + ")";
    }
}
