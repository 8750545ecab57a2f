package io.javisor.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.linux.Errno;
import io.javisor.linux.LinuxException;
import io.javisor.linux.OpenFileLimit;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KvmTest {
    @Test
    void missingDeviceIsDiagnosed() {
        assertThatThrownBy(() -> Kvm.open(Path.of("/dev/there-is-no-such-kvm")))
                .isInstanceOfSatisfying(KvmException.class, e -> {
                    assertThat(e.code()).isEqualTo("kvm-missing");
                    assertThat(e.errno()).isEqualTo(Errno.ENOENT);
                    assertThat(e.call()).isEqualTo("openat");
                    assertThat(e.remedy()).contains("modprobe");
                    assertThat(e).hasMessageContainingAll("/dev/there-is-no-such-kvm", "ENOENT", "modprobe");
                });
    }

    @Test
    void anotherDeviceIsDiagnosed() {
        assertThatThrownBy(() -> Kvm.open(Path.of("/dev/null"))).isInstanceOfSatisfying(KvmException.class, e -> {
            assertThat(e.code()).isEqualTo("kvm-not-kvm");
            assertThat(e.errno()).isEqualTo(Errno.ENOTTY);
        });
    }

    @ParameterizedTest
    @CsvSource({
        "EACCES,13,kvm-permission",
        "EPERM,1,kvm-permission",
        "EBUSY,16,kvm-busy",
        "ENODEV,19,kvm-no-device",
        "ENXIO,6,kvm-no-device",
        "EMFILE,24,kvm-descriptors",
        "ENFILE,23,kvm-descriptors",
        "ENOMEM,12,kvm-memory"
    })
    void everyErrnoOfOpeningHasACodeAndARemedy(String name, int errno, String code) {
        KvmException e = Kvm.diagnose(Kvm.DEVICE, new LinuxException("openat", "\"/dev/kvm\"", errno));
        assertThat(e.code()).isEqualTo(code);
        assertThat(e.remedy()).isNotBlank();
        assertThat(e.errno()).isEqualTo(errno);
        assertThat(e).hasMessageContaining(name);
    }

    @Test
    void hostTellsWhatItCan() {
        TinyGuest.assumeKvm();
        try (Kvm kvm = Kvm.open()) {
            assertThat(kvm.apiVersion()).isEqualTo(12);
            assertThat(kvm.has(Capability.USER_MEMORY)).isTrue();
            assertThat(kvm.has(Capability.IMMEDIATE_EXIT)).isTrue();
            assertThat(kvm.maxVcpus()).isGreaterThanOrEqualTo(kvm.check(Capability.NR_VCPUS));
            assertThat(kvm.maxMemorySlots()).isGreaterThanOrEqualTo(32);
        }
    }

    @Test
    void cpuidLeavesBeginWithTheVendor() {
        TinyGuest.assumeKvm();
        try (Kvm kvm = Kvm.open()) {
            List<CpuidEntry> leaves = kvm.supportedCpuid();
            assertThat(leaves.getFirst().function()).isZero();
            assertThat(leaves.getFirst().eax()).isGreaterThanOrEqualTo(1);
            assertThat(leaves).anyMatch(e -> e.function() == 0x80000000);
            assertThat(kvm.emulatedCpuid()).isNotNull();
        }
    }

    @Test
    void hypervLeavesOrARefusalThatNamesTheCapability() {
        TinyGuest.assumeKvm();
        try (Kvm kvm = Kvm.open()) {
            if (kvm.has(Capability.SYS_HYPERV_CPUID)) {
                assertThat(kvm.supportedHypervCpuid()).anyMatch(e -> e.function() == 0x40000000);
            } else {
                assertThatThrownBy(kvm::supportedHypervCpuid)
                        .isInstanceOfSatisfying(
                                KvmException.class, e -> assertThat(e.code()).isEqualTo("kvm-capability"))
                        .hasMessageContaining("KVM_CAP_SYS_HYPERV_CPUID");
            }
        }
    }

    @Test
    void msrListsAndFeatureMsrs() {
        TinyGuest.assumeKvm();
        try (Kvm kvm = Kvm.open()) {
            // IA32_TIME_STAMP_COUNTER and IA32_SYSENTER_CS
            assertThat(kvm.msrIndexList()).contains(0x10, 0x174);
            int[] features = kvm.featureMsrIndexList();
            for (Msr msr : kvm.featureMsrs(features)) {
                assertThat(features).contains(msr.index());
            }
            assertThatThrownBy(() -> kvm.featureMsrs(0x1234_5678))
                    .isInstanceOfSatisfying(
                            KvmException.class, e -> assertThat(e.code()).isEqualTo("kvm-msr"))
                    .hasMessageContaining("0x12345678");
        }
    }

    @Test
    void lackOfDescriptorsIsNamedAndLeavesNothing() {
        TinyGuest.assumeKvm();
        OpenFileLimit limit = OpenFileLimit.get();
        try (Kvm kvm = Kvm.open();
                KvmVm vm = kvm.createVm()) {
            new OpenFileLimit(3, limit.hard()).set();
            try {
                assertThatThrownBy(kvm::createVm)
                        .isInstanceOfSatisfying(KvmException.class, e -> {
                            assertThat(e.code()).isEqualTo("kvm-descriptors");
                            assertThat(e.remedy()).contains("ulimit -n");
                        })
                        .hasMessageContainingAll("KVM_CREATE_VM", "EMFILE");
                assertThatThrownBy(() -> vm.createVcpu(0))
                        .isInstanceOfSatisfying(
                                KvmException.class, e -> assertThat(e.code()).isEqualTo("kvm-descriptors"));
            } finally {
                limit.set();
            }
            vm.createVcpu(0).close();
        }
    }

    @Test
    void useAfterCloseThrowsAndClosingTwiceIsFine() {
        TinyGuest.assumeKvm();
        Kvm kvm = Kvm.open();
        KvmVm vm = kvm.createVm();
        kvm.close();
        kvm.close();
        assertThatThrownBy(kvm::createVm)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        // A VM lives on without the device.
        vm.createVcpu(0).close();
        vm.close();
        vm.close();
        assertThatThrownBy(() -> vm.createVcpu(1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> vm.mapMemory(0, 4096)).isInstanceOf(IllegalStateException.class);
    }
}
