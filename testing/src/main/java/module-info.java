/** Virtual machines in JUnit tests. */
module io.javisor.testing {
    requires transitive io.javisor.api;
    requires transitive org.junit.jupiter.api;

    exports io.javisor.testing;
}
