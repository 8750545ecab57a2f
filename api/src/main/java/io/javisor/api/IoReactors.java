package io.javisor.api;

import io.javisor.kvm.partition.EpollReactor;
import java.util.ArrayList;
import java.util.List;

/**
 * The few threads that serve the VMBus channels of all machines in this process: one for each processor. They exist while at
 * least one machine has a lease.
 */
final class IoReactors {
    // Deliberately shared by the process: a thread for each machine is what this class is there to avoid. Guarded by
    // the class.
    private static final List<EpollReactor> SHARED = new ArrayList<>();
    private static int leases;

    private IoReactors() {}

    /** Takes part in the threads, which start with the first lease. */
    static synchronized Lease lease() {
        if (leases == 0) {
            for (int i = 0; i < Runtime.getRuntime().availableProcessors(); i++) {
                SHARED.add(new EpollReactor("javisor-io-" + i));
            }
        }
        leases++;
        return new Lease(List.copyOf(SHARED));
    }

    private static synchronized List<EpollReactor> giveBack() {
        leases--;
        if (leases > 0) {
            return List.of();
        }
        List<EpollReactor> idle = List.copyOf(SHARED);
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
