package io.javisor.testing;

import io.javisor.api.MachineBuilder;
import io.javisor.api.VirtualMachine;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.function.Consumer;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Gives the tests of a class a {@link VirtualMachine} that runs a stock Linux kernel, as a parameter of test methods, of
 * {@code @BeforeEach} and {@code @AfterEach} methods and of {@code @BeforeAll} and {@code @AfterAll} methods. All of them get the
 * same machine; what one test does to it, the next one finds.
 *
 * {@snippet :
 * @WithVirtualMachine(memory = "256M")
 * class ModuleTest {
 *     @Test
 *     void kernelHasTheModule(VirtualMachine vm) {
 *         assertEquals(0, vm.exec("modinfo", "hv_vmbus").exitCode());
 *     }
 * }
 * }
 *
 * <p>Where no machine can run (no KVM, no permission, or KVM that is too slow for a stock kernel) the class is skipped, and
 * the reason with its remedy is in the log and in the test report. With the system property {@value #REQUIRED} set to
 * {@code true}, as on a build server that is known to have KVM, it fails instead.
 */
@Documented
@Inherited
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(VirtualMachineExtension.class)
public @interface WithVirtualMachine {
    /** The system property that makes a host without KVM a failure: {@code true} or not. */
    String REQUIRED = "javisor.testing.required";

    /** A stock Debian kernel, as {@link io.javisor.api.LinuxSpec.Builder#debian} takes it. */
    String debian() default "6.12-cloud";

    /** Kernel modules that the guest loads at its start, beyond those for its devices. */
    String[] modules() default {};

    /** Added to the kernel's command line. */
    String append() default "";

    /** Boot memory, as {@code "512M"} or {@code "2G"}. */
    String memory() default "512M";

    /** Virtual processors. */
    int vcpus() default 1;

    /** Its processors, as {@link io.javisor.api.CpuSpec#parse} reads them. */
    String cpu() default "host";

    /** Seconds that the guest may take until its shell answers. */
    int bootTimeout() default 120;

    /** Says more of the machine: disks, NUMA nodes. Made by its constructor without parameters, called after all else. */
    Class<? extends Consumer<MachineBuilder>> more() default NoMore.class;

    /** Says nothing more. */
    final class NoMore implements Consumer<MachineBuilder> {
        @Override
        public void accept(MachineBuilder builder) {
            // all is said
        }
    }
}
