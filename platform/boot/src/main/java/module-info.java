/** What a guest finds at power-on. */
module io.javisor.boot {
    requires transitive io.javisor.partition;
    requires transitive io.javisor.numa;
    requires org.apache.commons.compress;
}
