/** The synthetic network adapter, the virtual switch, and its uplinks. */
module io.javisor.networking {
    requires transitive io.javisor.partition;
    requires io.javisor.linux;
    requires transitive io.javisor.vmbus;

    exports io.javisor.networking.extension;
    exports io.javisor.networking.frame;
    exports io.javisor.networking.netvsp;
    exports io.javisor.networking.uplink;
    exports io.javisor.networking.user;
    exports io.javisor.networking.vswitch;
}
