package io.javisor.kvm.partition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.kvm.CpuidEntry;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class HostFitTest {
    private static final int INDEXED = CpuidEntry.SIGNIFICANT_INDEX;

    /** GenuineIntel, with SSE3 and AVX, AVX2, AVX state at its usual place, and 39 address bits. */
    private static List<CpuidEntry> processor() {
        return List.of(
                new CpuidEntry(0, 0, 0, 13, 0x756E_6547, 0x6C65_746E, 0x4965_6E69),
                new CpuidEntry(1, 0, 0, 0xA0671, 0, 1 << 28 | 1, 0),
                new CpuidEntry(7, 0, INDEXED, 0, 1 << 5, 0, 0),
                new CpuidEntry(0xD, 0, INDEXED, 7, 832, 832, 0),
                new CpuidEntry(0xD, 2, INDEXED, 256, 576, 0, 0),
                new CpuidEntry(0x8000_0008, 0, 0, 39, 0, 0, 0));
    }

    private static SavedProcessors saved(List<CpuidEntry> leaves) {
        return new SavedProcessors(List.of(0, 2), List.of(leaves, leaves), 2_700_000, false);
    }

    private static List<CpuidEntry> with(CpuidEntry leaf) {
        List<CpuidEntry> leaves = new ArrayList<>(processor());
        leaves.removeIf(l -> l.function() == leaf.function() && l.index() == leaf.index());
        leaves.add(leaf);
        return leaves;
    }

    @Test
    void theSameAndMoreIsFine() {
        assertThat(HostFit.missing(saved(processor()), processor())).isEmpty();
        List<CpuidEntry> more = with(new CpuidEntry(7, 0, INDEXED, 0, 1 << 5 | 1 << 16, 0, 0));
        assertThat(HostFit.missing(saved(processor()), more)).isEmpty();
    }

    @Test
    void whatIsMissingIsNamed() {
        assertThat(HostFit.missing(saved(processor()), with(new CpuidEntry(7, 0, INDEXED, 0, 0, 0, 0))))
                .containsExactly("CPUID 7.0:EBX bits 0x00000020");
        assertThat(HostFit.missing(saved(processor()), with(new CpuidEntry(0xD, 2, INDEXED, 256, 640, 0, 0))))
                .containsExactly("XSAVE component 2 of 256 bytes at 576: here 256 at 640");
        assertThat(HostFit.missing(saved(processor()), with(new CpuidEntry(0x8000_0008, 0, 0, 36, 0, 0, 0))))
                .containsExactly("39 physical address bits: this host has 36");
        CpuidEntry amd = new CpuidEntry(0, 0, 0, 13, 0x6874_7541, 0x444D_4163, 0x6974_6E65);
        assertThat(HostFit.missing(saved(processor()), with(amd)))
                .containsExactly("a processor of GenuineIntel: this one is of AuthenticAMD");
    }

    @Test
    void whatTheGuestOrTopologyTurnsOnDoesNotCount() {
        List<CpuidEntry> turnedOn =
                with(new CpuidEntry(1, 0, 0, 0xA0671, 0, 1 << 31 | 1 << 28 | 1 << 27 | 1 << 24 | 1, 1 << 28));
        assertThat(HostFit.missing(saved(turnedOn), processor())).isEmpty();
    }

    @Test
    void processorsGoRound() {
        StateWriter out = new StateWriter();
        saved(processor()).save(out);
        assertThat(SavedProcessors.of(new StateReader("processors", 1, out.toByteArray())))
                .isEqualTo(saved(processor()));
        StateWriter twice = new StateWriter();
        new SavedProcessors(List.of(0, 0), List.of(processor(), processor()), 0, false).save(twice);
        assertThatThrownBy(() -> SavedProcessors.of(new StateReader("processors", 1, twice.toByteArray())))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("given twice");
    }
}
