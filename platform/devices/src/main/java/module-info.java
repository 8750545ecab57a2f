/** The few devices that every machine has. */
module io.javisor.devices {
    requires transitive io.javisor.partition;
}
