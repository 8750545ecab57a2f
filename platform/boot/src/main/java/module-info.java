/** What a guest finds at power-on. */
module io.javisor.boot {
    requires transitive io.javisor.partition;
    requires transitive io.javisor.numa;
    requires org.apache.commons.compress;
    requires org.tukaani.xz;

    exports io.javisor.boot;
    exports io.javisor.boot.acpi;
    exports io.javisor.boot.debian;
    exports io.javisor.boot.image;
}
