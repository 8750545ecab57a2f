/** Typed KVM for Java, and the partition built on it. */
module io.javisor.kvm {
    requires transitive io.javisor.partition;
    requires transitive io.javisor.linux;
    requires jdk.jfr;

    exports io.javisor.kvm;
    exports io.javisor.kvm.gdb;
    exports io.javisor.kvm.partition;
}
