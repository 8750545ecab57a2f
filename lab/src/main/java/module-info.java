/** The nested machine in which stock kernels prove what Javisor claims. */
module io.javisor.lab {
    requires transitive io.javisor.api;
    requires io.javisor.kvm;
    requires io.javisor.linux;
    requires static org.junit.jupiter.api;
    requires static org.junit.platform.launcher;

    exports io.javisor.lab;
    exports io.javisor.lab.junit;
}
