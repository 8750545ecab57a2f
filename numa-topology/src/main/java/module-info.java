/**
 * Virtual NUMA: the host's topology, the guest's, and the placement of the one on the other.
 */
module io.javisor.numa {
    requires transitive io.javisor.partition;
    requires transitive io.javisor.linux;
    requires static transitive org.jspecify;

    exports io.javisor.numa;
    exports io.javisor.numa.cpuid;
    exports io.javisor.numa.host;
    exports io.javisor.numa.placement;
}
