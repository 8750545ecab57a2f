/** Memory that follows the guest's need: balloon, hot add, and the balancer of the host's memory. */
module io.javisor.memory {
    requires transitive io.javisor.partition;
    requires transitive io.javisor.vmbus;

    exports io.javisor.memory;
    exports io.javisor.memory.balancer;
    exports io.javisor.memory.balloon;
    exports io.javisor.memory.protocol;
    exports io.javisor.memory.simulation;
}
