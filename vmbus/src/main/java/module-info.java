/** The VMBus and its integration services. */
module io.javisor.vmbus {
    requires transitive io.javisor.partition;
}
