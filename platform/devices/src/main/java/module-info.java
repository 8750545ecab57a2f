/** The few devices that every machine has: serial ports, clock, power, reset, a bare PCI bridge. */
module io.javisor.devices {
    requires transitive io.javisor.partition;

    exports io.javisor.devices;
}
