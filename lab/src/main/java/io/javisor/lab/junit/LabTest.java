package io.javisor.lab.junit;

import io.javisor.lab.HostKernel;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;

/**
 * Marks a test class whose tests run in the lab. All of Jupiter works as usual, but in the lab; the class must not be
 * nested in another, while it may hold nested ones. Classes that need the same kernel and nodes share a lab, which has the
 * memory and processors that the most demanding of them asks for.
 */
@Documented
@Inherited
@Tag("lab")
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
public @interface LabTest {
    /** NUMA nodes of the lab, exactly. */
    int nodes() default 2;

    /** Memory of each node, at least, in whole MiB: {@code "512M"}, {@code "3G"}. */
    String memory() default "3G";

    /** Virtual processors, at least. */
    int vcpus() default 2;

    /** The lab's kernel. */
    HostKernel kernel() default HostKernel.V6_1;

    /**
     * Stock kernels that the tests boot as guests ({@code "6.12-cloud"}), and {@link io.javisor.lab.DebianDisk#NAME} for a Debian
     * with systemd on a disk; fetched or made before the lab, which has no network, starts.
     */
    String[] guests() default {};

    /**
     * Debian packages whose programs the tests put into guests; each is unpacked with what it depends on
     * ({@link io.javisor.boot.debian.DebianPackages#unpack}) before the lab, which has no network, starts.
     */
    String[] packages() default {};

    /** Seconds after which a test of this class that has not ended has failed; its JVM is ended, and the rest run in a new one. */
    int timeout() default 300;
}
