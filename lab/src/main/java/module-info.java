/** The nested machine in which stock kernels prove what Javisor claims. */
module io.javisor.lab {
    requires transitive io.javisor.api;
}
