/** The javisor command and runnable programs. */
module io.javisor.examples {
    requires io.javisor.api;
    requires io.javisor.lab;
    requires info.picocli;
}
