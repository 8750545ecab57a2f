package io.javisor.api;

import io.javisor.networking.netvsp.NetworkAdapter;
import io.javisor.partition.HypervisorException;
import io.javisor.vmbus.VmBus;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The network adapters of a machine, which come and go while it runs or while it is stopped. Safe from any thread. */
public final class MachineNetwork {
    private final String machine;
    private final int vcpus;
    private final TreeMap<Integer, MachineAdapter> adapters = new TreeMap<>();
    private @Nullable VmBus bus;

    MachineNetwork(MachineSpec spec) {
        machine = spec.name();
        vcpus = spec.vcpus();
        for (int i = 0; i < spec.networks().size(); i++) {
            adapters.put(
                    i, new MachineAdapter(machine, i, vcpus, spec.networks().get(i)));
        }
    }

    /** All adapters, in the order of their numbers. */
    public synchronized List<MachineAdapter> adapters() {
        return List.copyOf(adapters.values());
    }

    /**
     * The adapter of a number.
     *
     * @throws IllegalArgumentException if there is none
     */
    public synchronized MachineAdapter adapter(int number) {
        MachineAdapter found = adapters.get(number);
        if (found == null) {
            throw new IllegalArgumentException(
                    "machine \"" + machine + "\" has no adapter " + number + "; it has " + adapters.keySet());
        }
        return found;
    }

    /**
     * Adds an adapter with the lowest number that is free. A guest that runs sees it come.
     *
     * @throws HypervisorException with code {@code network-adapters} if the machine has 8 already
     */
    public synchronized MachineAdapter add(NetworkSpec spec) {
        var problems = new ProblemList();
        spec.check("network", problems);
        problems.throwIfAny(machine);
        int number = 0;
        while (adapters.containsKey(number)) {
            number++;
        }
        if (number >= NetworkAdapter.MOST_ADAPTERS) {
            throw new HypervisorException(
                    "network-adapters",
                    "machine \"" + machine + "\" has " + number + " network adapters, the most possible",
                    "remove one");
        }
        var adapter = new MachineAdapter(machine, number, vcpus, spec);
        if (bus != null) {
            adapter.start(bus);
        }
        adapters.put(number, adapter);
        return adapter;
    }

    /**
     * Removes an adapter. A guest that runs sees it go.
     *
     * @return false if it was not there (any more)
     */
    public synchronized boolean remove(MachineAdapter adapter) {
        if (!adapters.remove(adapter.number(), adapter)) {
            return false;
        }
        adapter.remove();
        return true;
    }

    synchronized boolean isEmpty() {
        return adapters.isEmpty();
    }

    /**
     * What there is now, for saved state, with the ports as they are now.
     *
     * @throws HypervisorException with code {@code saved-state-network} if the numbers have gaps
     */
    synchronized List<NetworkSpec> described() {
        if (!adapters.isEmpty() && adapters.lastKey() != adapters.size() - 1) {
            throw new HypervisorException(
                    "saved-state-network",
                    "machine \"" + machine + "\" has the network adapters " + adapters.keySet()
                            + ", which can't be described",
                    "remove those after the gap, or add one, before saving");
        }
        return adapters.values().stream().map(MachineNetwork::described).toList();
    }

    private static NetworkSpec described(MachineAdapter adapter) {
        NetworkSpec spec = adapter.spec().mac(adapter.mac());
        return spec.attachment() instanceof NetworkSpec.Attachment.Switch
                ? adapter.port().map(port -> spec.port(_ -> port.settings())).orElse(spec)
                : spec;
    }

    /** Offers the adapters to a guest that is about to run. */
    synchronized void plugInto(VmBus here) {
        bus = here;
        adapters.values().forEach(adapter -> adapter.start(here));
    }

    /** Takes the adapters out of a run whose bus has been closed. */
    synchronized void unplug() {
        bus = null;
        adapters.values().forEach(MachineAdapter::stop);
    }
}
