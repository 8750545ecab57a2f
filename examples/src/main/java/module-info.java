/** The javisor command and runnable programs. */
module io.javisor.examples {
    requires io.javisor.api;
    requires io.javisor.lab;
    requires info.picocli;

    exports io.javisor.examples;

    opens io.javisor.examples to
            info.picocli;
}
