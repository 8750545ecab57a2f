package io.javisor.lab.junit;

import io.javisor.boot.debian.DebianPackages;
import io.javisor.lab.DebianDisk;
import io.javisor.lab.HostKernel;
import io.javisor.lab.LabSpec;
import java.util.Set;
import java.util.TreeSet;

/** What test classes ask of a lab. */
record LabNeeds(HostKernel kernel, int nodes, long memory, int vcpus, Set<String> guests, Set<String> packages) {
    static LabNeeds of(LabTest test) {
        return new LabNeeds(
                test.kernel(),
                test.nodes(),
                LabSpec.size(test.memory()),
                test.vcpus(),
                Set.of(test.guests()),
                Set.of(test.packages()));
    }

    /** Whether one lab can serve both if it is large enough. */
    boolean fits(LabNeeds other) {
        return kernel == other.kernel && nodes == other.nodes;
    }

    /** The least that is enough for both. */
    LabNeeds and(LabNeeds other) {
        return new LabNeeds(
                kernel,
                nodes,
                Math.max(memory, other.memory),
                Math.max(vcpus, other.vcpus),
                union(guests, other.guests),
                union(packages, other.packages));
    }

    private static Set<String> union(Set<String> one, Set<String> other) {
        Set<String> both = new TreeSet<>(one);
        both.addAll(other);
        return both;
    }

    /** Puts the guests' kernels, disks and packages and a busybox into the cache, for the lab has no network. */
    void fetchGuests() {
        DebianPackages debian = DebianPackages.open();
        if (!guests.isEmpty()) {
            debian.busybox();
            for (String guest : guests) {
                if (guest.equals(DebianDisk.NAME)) {
                    DebianDisk.get();
                } else {
                    debian.kernel(guest);
                }
            }
        }
        packages.forEach(debian::unpack);
    }

    LabSpec.Builder toSpec() {
        return LabSpec.builder()
                .kernel(kernel)
                .nodes(nodes)
                .memoryPerNode(memory)
                .vcpus(vcpus);
    }
}
