package io.javisor.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.api.management.HostMXBean;
import io.javisor.api.management.MachineMXBean;
import io.javisor.partition.HypervisorException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import javax.management.JMX;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeData;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Machines and the host in the platform's MBean server. */
@Timeout(120)
class ManagementTest {
    private static final MBeanServer SERVER = ManagementFactory.getPlatformMBeanServer();

    @TempDir
    private Path folder;

    @BeforeEach
    void needs() {
        TinyKernel.assumeKvm();
        SpinKernel.writeTo(folder);
    }

    private static Set<ObjectName> machines() throws Exception {
        return SERVER.queryNames(new ObjectName("io.javisor:type=Machine,*"), null);
    }

    @Test
    void machinesFromRegistrationToClose() throws Exception {
        VirtualMachine vm = SpinKernel.machine(folder).build();
        ObjectName name;
        try (vm) {
            assertThat(machines()).isEmpty(); // nobody asked
            name = vm.manage(SERVER);
            assertThat(name).isEqualTo(new ObjectName("io.javisor:type=Machine,name=\"spin\""));
            MachineMXBean bean = JMX.newMXBeanProxy(SERVER, name, MachineMXBean.class);
            assertThat(bean.getName()).isEqualTo("spin");
            assertThat(bean.getState()).isEqualTo("CREATED");
            assertThat(bean.getStatistics().exits()).isEmpty();
            vm.start().await(Wait.forConsole("."), Duration.ofSeconds(30));
            assertThat(bean.getState()).isEqualTo("RUNNING");
            assertThat(bean.getVcpus()).isOne();
            assertThat(bean.getMemory()).isEqualTo(32 << 20);
            assertThat(bean.getResidentBytes()).isPositive();
            assertThat(bean.getOutcome()).isEmpty();
            assertThat(bean.getDrives()).isEmpty();
            assertThat(bean.getAdapters()).isEmpty();
            // While the guest runs; as tools see it, that don't know the type.
            var statistics = (CompositeData) SERVER.getAttribute(name, "Statistics");
            assertThat(statistics.get("boots")).isEqualTo(1);
            assertThat(bean.getStatistics().exits()).containsKey("IO_OUT");
            assertThat(bean.getStatistics().devices())
                    .hasEntrySatisfying("serial0", a -> assertThat(a.writes()).isPositive());
            vm.kill();
            assertThat(bean.getState()).isEqualTo("STOPPED");
            assertThat(bean.getOutcome()).isEqualTo(new Outcome.Killed().toString());
            assertThat(bean.getStatistics()).isEqualTo(vm.statistics());
        }
        assertThat(machines()).isEmpty();
        assertThatThrownBy(() -> vm.manage(SERVER))
                .isInstanceOfSatisfying(
                        HypervisorException.class, e -> assertThat(e.code()).isEqualTo("closed"));
        assertThat(machines()).isEmpty();
    }

    @Test
    void machinesOfOneName() throws Exception {
        try (VirtualMachine one = SpinKernel.machine(folder).build();
                VirtualMachine two = SpinKernel.machine(folder).build()) {
            assertThat(one.manage(SERVER).getKeyProperty("number")).isNull();
            assertThat(two.manage(SERVER).getKeyProperty("number")).isEqualTo("2");
            assertThat(machines()).hasSize(2);
        }
        assertThat(machines()).isEmpty();
    }

    @Test
    void countersOfAllRuns() {
        try (VirtualMachine vm = SpinKernel.machine(folder).build()) {
            for (int boots = 1; boots <= 2; boots++) {
                vm.start();
                // The console keeps what earlier runs wrote, so that the device is asked for what this one has done.
                while (writes(vm) < boots) {
                    Thread.onSpinWait();
                }
                vm.kill();
                assertThat(vm.statistics().boots()).isEqualTo(boots);
                assertThat(writes(vm)).isEqualTo(boots);
                assertThat(vm.statistics().exits().get("IO_OUT")).isEqualTo(boots);
            }
        }
    }

    private static long writes(VirtualMachine vm) {
        var serial = vm.statistics().devices().get("serial0");
        return serial == null ? 0 : serial.writes();
    }

    @Test
    void theHost() throws Exception {
        var name = new ObjectName("io.javisor:type=Host");
        assertThat(SERVER.isRegistered(name)).isFalse();
        try (var host = Host.manage(SERVER)) {
            assertThat(host.name()).isEqualTo(name);
            HostMXBean bean = JMX.newMXBeanProxy(SERVER, name, HostMXBean.class);
            assertThat(bean.isUsable()).isTrue();
            assertThat(bean.isHyperV()).isEqualTo(Host.check().hyperV());
            assertThat(bean.getChecks())
                    .containsKey("kvm")
                    .hasSameSizeAs(Host.check().checks());
            assertThat(bean.getMemoryTotal()).isGreaterThan(bean.getMemoryAvailable());
            assertThat(bean.getPoolMachines()).isZero();
            assertThatThrownBy(() -> Host.manage(SERVER))
                    .isInstanceOfSatisfying(
                            HypervisorException.class, e -> assertThat(e.code()).isEqualTo("jmx"));
        }
        assertThat(SERVER.isRegistered(name)).isFalse();
    }
}
