/** The embeddable hypervisor: what an application imports. */
module io.javisor.api {
    requires transitive io.javisor.partition;
    requires transitive io.javisor.numa;
    requires transitive io.javisor.boot;
    requires transitive io.javisor.kvm;
    requires transitive io.javisor.vmbus;
    requires transitive io.javisor.storage;
    requires transitive io.javisor.networking;
    requires transitive io.javisor.memory;
    requires io.javisor.linux;
    requires jdk.jfr;
    requires transitive java.management;
    requires transitive io.javisor.devices;

    exports io.javisor.api;
    exports io.javisor.api.console;
    exports io.javisor.api.exec;
    exports io.javisor.api.management;
}
