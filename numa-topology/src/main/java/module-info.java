/** Host topology discovery, guest NUMA topology, placement plan. */
module io.javisor.numa {
    requires transitive io.javisor.partition;
    requires io.javisor.linux;
}
