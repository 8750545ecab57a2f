/**
 */
module io.javisor.numa {
    requires transitive io.javisor.partition;
    requires io.javisor.linux;
    requires static transitive org.jspecify;

    exports io.javisor.numa;
    exports io.javisor.numa.cpuid;
    exports io.javisor.numa.host;
}
