/** What a device sees of a machine: guest memory, signals, address-space plan, saved state. */
module io.javisor.partition {
    requires static transitive org.jspecify;

    exports io.javisor.partition;
    exports io.javisor.partition.acpi;
    exports io.javisor.partition.bus;
    exports io.javisor.partition.reactor;
    exports io.javisor.partition.state;
    exports io.javisor.partition.synic;
    exports io.javisor.partition.topology;
}
