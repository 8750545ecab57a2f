package io.javisor.kvm.partition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.javisor.kvm.CpuidEntry;
import io.javisor.kvm.Kvm;
import io.javisor.kvm.KvmVm;
import io.javisor.kvm.Vcpu;
import io.javisor.partition.HypervisorException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CpuModelTest {
    private static final int INDEXED = CpuidEntry.SIGNIFICANT_INDEX;

    /** A processor that has all there is, and more. */
    private static List<CpuidEntry> everything() {
        return new ArrayList<>(List.of(
                new CpuidEntry(0, 0, 0, 0x20, 0x756E6547, 0x6C65746E, 0x49656E69),
                new CpuidEntry(1, 0, 0, 0x806F8, 0, -1, -1),
                new CpuidEntry(4, 0, INDEXED, 1, 2, 3, 4),
                new CpuidEntry(6, 0, 0, -1, -1, -1, -1),
                new CpuidEntry(7, 0, INDEXED, 2, -1, -1, -1),
                new CpuidEntry(7, 1, INDEXED, -1, -1, -1, -1),
                new CpuidEntry(0xD, 0, INDEXED, 0x6_02E7, 0x2B00, 0x2B00, 0),
                new CpuidEntry(0xD, 1, INDEXED, 0x1F, 0, 0, 0),
                new CpuidEntry(0xD, 2, INDEXED, 256, 576, 0, 0),
                new CpuidEntry(0xD, 5, INDEXED, 64, 1088, 0, 0),
                new CpuidEntry(0xD, 6, INDEXED, 512, 1152, 0, 0),
                new CpuidEntry(0xD, 7, INDEXED, 1024, 1664, 0, 0),
                new CpuidEntry(0xD, 9, INDEXED, 8, 2688, 0, 0),
                new CpuidEntry(0xD, 18, INDEXED, 8192, 2816, 2, 0),
                new CpuidEntry(0x14, 0, INDEXED, 1, -1, -1, -1),
                new CpuidEntry(0x8000_0000, 0, 0, 0x8000_0021, 0, 0, 0),
                new CpuidEntry(0x8000_0001, 0, 0, 0, 0, -1, -1),
                new CpuidEntry(0x8000_0007, 0, 0, 0, 0, 0, -1),
                new CpuidEntry(0x8000_0008, 0, 0, 0x3934, -1, 0, 0),
                new CpuidEntry(0x8000_001F, 0, 0, -1, -1, -1, -1),
                new CpuidEntry(0x8000_0021, 0, 0, -1, 0, 0, 0)));
    }

    private static CpuidEntry leaf(List<CpuidEntry> leaves, int function, int index) {
        return leaves.stream()
                .filter(l -> l.function() == function && l.index() == index)
                .findFirst()
                .orElse(new CpuidEntry(function, index, 0, 0, 0, 0, 0));
    }

    private static List<CpuidEntry> without(List<CpuidEntry> leaves, CpuFeature feature) {
        return leaves.stream()
                .map(l -> l.function() != feature.function() || l.index() != 0
                        ? l
                        : switch (feature.register()) {
                            case EAX -> l.with(l.eax() & ~(1 << feature.bit()), l.ebx(), l.ecx(), l.edx());
                            case EBX -> l.with(l.eax(), l.ebx() & ~(1 << feature.bit()), l.ecx(), l.edx());
                            case ECX -> l.with(l.eax(), l.ebx(), l.ecx() & ~(1 << feature.bit()), l.edx());
                            case EDX -> l.with(l.eax(), l.ebx(), l.ecx(), l.edx() & ~(1 << feature.bit()));
                        })
                .toList();
    }

    @ParameterizedTest
    @EnumSource(
            value = CpuModel.class,
            names = {"X86_64_V2", "X86_64_V3", "X86_64_V4"})
    void guestHasTheLevelAndNothingAboveIt(CpuModel model) {
        List<CpuidEntry> guest = model.of(everything());
        int level = model.ordinal() + 1;
        for (CpuFeature feature : CpuFeature.REQUIRED) {
            assertThat(feature.isIn(guest)).as(feature.name()).isEqualTo(feature.level() <= level);
        }
        // AES, RDRAND, PCLMULQDQ, SHA, CLWB, GFNI, VAES: of no level.
        assertThat(leaf(guest, 1, 0).ecx() & (1 << 25 | 1 << 30 | 1 << 1)).isZero();
        assertThat(leaf(guest, 7, 0).ebx() & (1 << 29 | 1 << 24)).isZero();
        assertThat(leaf(guest, 7, 0).ecx() & (1 << 8 | 1 << 9)).isZero();
        // What protects from speculation stays.
        assertThat(leaf(guest, 7, 0).edx() & (1 << 26 | 1 << 31)).isEqualTo(1 << 26 | 1 << 31);
        assertThat(leaf(guest, 7, 1).eax()).isZero();
        assertThat(leaf(guest, 6, 0).eax()).isZero();
        assertThat(leaf(guest, 0x14, 0).eax()).isZero();
        assertThat(leaf(guest, 0x8000_001F, 0).eax()).isZero();
        assertThat(leaf(guest, 1, 0).eax()).isEqualTo(0x806F8);
        assertThat(leaf(guest, 4, 0).edx()).isEqualTo(4);
    }

    @Test
    void xsaveHasTheComponentsOfTheLevelOnly() {
        assertThat(CpuModel.X86_64_V2.of(everything())).noneMatch(l -> l.function() == 0xD);
        List<CpuidEntry> v3 = CpuModel.X86_64_V3.of(everything());
        assertThat(leaf(v3, 0xD, 0).eax()).isEqualTo(7);
        assertThat(leaf(v3, 0xD, 0).ecx()).isEqualTo(576 + 256);
        assertThat(leaf(v3, 0xD, 1).eax()).as("no XSAVES").isEqualTo(7);
        assertThat(v3.stream().filter(l -> l.function() == 0xD).map(CpuidEntry::index))
                .containsExactly(0, 1, 2);
        List<CpuidEntry> v4 = CpuModel.X86_64_V4.of(everything());
        assertThat(leaf(v4, 0xD, 0).eax()).isEqualTo(0xE7);
        assertThat(leaf(v4, 0xD, 0).ecx()).isEqualTo(2688);
        assertThat(v4.stream().filter(l -> l.function() == 0xD).map(CpuidEntry::index))
                .containsExactly(0, 1, 2, 5, 6, 7);
    }

    @Test
    void eachMissingFeatureIsNamed() {
        for (CpuFeature feature : CpuFeature.REQUIRED) {
            List<CpuidEntry> host = without(everything(), feature);
            assertThat(CpuModel.X86_64_V4.lacking(host)).containsExactly(feature.name());
            assertThatThrownBy(() -> CpuModel.X86_64_V4.of(host))
                    .isInstanceOfSatisfying(
                            HypervisorException.class, e -> assertThat(e.code()).isEqualTo("cpu-model"))
                    .hasMessageContaining(feature.name());
            if (feature.level() > 2) {
                assertThat(CpuModel.X86_64_V2.lacking(host)).isEmpty();
            }
        }
    }

    @Test
    void hostIsWhatTheHostHas() {
        assertThat(CpuModel.HOST.of(everything())).isEqualTo(everything());
        assertThat(CpuModel.HOST.lacking(List.of())).isEmpty();
        assertThat(CpuModel.of("x86-64-v3")).contains(CpuModel.X86_64_V3);
        assertThat(CpuModel.of("x86-64-v5")).isEmpty();
    }

    @Test
    void thisHostsKvmTakesTheLevelsThatItHas() {
        assumeTrue(Files.isWritable(Kvm.DEVICE), "needs a /dev/kvm that this user may open");
        try (Kvm kvm = Kvm.open();
                KvmVm vm = kvm.createVm()) {
            List<CpuidEntry> host = kvm.supportedCpuid();
            int id = 0;
            for (CpuModel model : CpuModel.values()) {
                if (model.lacking(host).isEmpty()) {
                    try (Vcpu vcpu = vm.createVcpu(id++)) {
                        vcpu.setCpuid(model.of(host));
                        long xcr0 = leaf(model.of(host), 0xD, 0).eax();
                        if (xcr0 != 0) {
                            vcpu.state().setXcr0(xcr0);
                        }
                    }
                }
            }
            assertThat(id).isPositive();
        }
    }
}
