/** Benchmarks beside the same work in C; a program, not for applications. */
module io.javisor.jmh {
    requires io.javisor.api;
    requires static org.jspecify;
    requires HdrHistogram;
    requires java.management;
    requires jdk.management;
    requires jcstress.core;
    requires jmh.core;
    requires jdk.jfr;
}
