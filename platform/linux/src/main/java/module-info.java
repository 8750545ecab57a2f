/** System calls, errno, owned file descriptors and mappings: the only room that touches native code. */
module io.javisor.linux {
    requires static transitive org.jspecify;

    exports io.javisor.linux;
}
