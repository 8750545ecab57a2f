/** The VMBus and its integration services. */
module io.javisor.vmbus {
    requires transitive io.javisor.partition;

    exports io.javisor.vmbus;
    exports io.javisor.vmbus.channel;
    exports io.javisor.vmbus.guest;
    exports io.javisor.vmbus.protocol;
    exports io.javisor.vmbus.ring;
    exports io.javisor.vmbus.service;
    exports io.javisor.vmbus.socket;
}
