package io.javisor.api;

import io.javisor.kvm.partition.EpollReactor;
import io.javisor.numa.CpuSet;
import io.javisor.numa.host.HostCpu;
import io.javisor.numa.host.HostTopology;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;

/**
 * The few threads that serve the VMBus channels of all machines in this process: one for each processor, on the CPUs of
 * that processor's NUMA node. They exist while at least one machine has a lease.
 */
final class IoReactors {
    // Deliberately shared by the process: a thread for each machine is what this class is there to avoid. Guarded by
    // the class.
    private static final List<Worker> SHARED = new ArrayList<>();
    private static int leases;

    private IoReactors() {}

    private record Worker(int hostNode, EpollReactor reactor) {}

    /**
     * Takes part in the threads, which start with the first lease.
     *
     * @param hostNodes the host nodes that the machine's vCPUs run on, whose threads serve it; empty for all
     */
    static synchronized Lease lease(Set<Integer> hostNodes) {
        if (leases == 0) {
            try {
                startAll();
            } catch (RuntimeException | Error e) {
                SHARED.forEach(worker -> worker.reactor.close());
                SHARED.clear();
                throw e;
            }
        }
        leases++;
        List<EpollReactor> near = SHARED.stream()
                .filter(w -> hostNodes.contains(w.hostNode))
                .map(Worker::reactor)
                .toList();
        return new Lease(near.isEmpty() ? SHARED.stream().map(Worker::reactor).toList() : near);
    }

    private static void startAll() {
        HostTopology host = HostTopology.read();
        List<HostCpu> cpus = host.cpus().stream()
                .filter(c -> host.allowedCpus().contains(c.id()))
                .toList();
        int count = Runtime.getRuntime().availableProcessors();
        for (int i = 0; i < count; i++) {
            int node = cpus.isEmpty() ? -1 : cpus.get(i * cpus.size() / count).node();
            // On a host of one node the kernel's scheduler has nothing to be told.
            BitSet on = host.nodes().size() < 2
                    ? new BitSet()
                    : host.node(node).map(host::usableCpus).orElse(CpuSet.EMPTY).toBitSet();
            SHARED.add(new Worker(node, new EpollReactor("javisor-io-" + i, on)));
        }
    }

    private static synchronized List<EpollReactor> giveBack() {
        leases--;
        if (leases > 0) {
            return List.of();
        }
        List<EpollReactor> idle = SHARED.stream().map(Worker::reactor).toList();
        SHARED.clear();
        return idle;
    }

    /** A machine's part in the threads; close it after its bus. */
    static final class Lease implements AutoCloseable {
        private final List<EpollReactor> all;
        private boolean closed;

        private Lease(List<EpollReactor> all) {
            this.all = all;
        }

        List<EpollReactor> all() {
            return all;
        }

        @Override
        public synchronized void close() {
            if (!closed) {
                closed = true;
                giveBack().forEach(EpollReactor::close);
            }
        }
    }
}
