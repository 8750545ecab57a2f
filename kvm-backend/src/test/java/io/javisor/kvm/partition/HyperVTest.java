package io.javisor.kvm.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.kvm.CpuidEntry;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class HyperVTest {
    /** What a KVM says of its own, and what it can say of Hyper-V. */
    private static final List<CpuidEntry> BASIS = List.of(leaf(0, 0xD), leaf(0x4000_0000, 0x4000_0001), leaf(7, 0));

    private static final List<CpuidEntry> SUPPORTED = List.of(
            leaf(0x4000_0000, 0x4000_0082),
            leaf(0x4000_0001, 0x3123_7648),
            leaf(0x4000_0005, 1),
            leaf(0x4000_0080, 0x4000_0082),
            leaf(0x4000_0081, 0x3123_5356),
            leaf(0x4000_0082, 2));

    private static CpuidEntry leaf(int function, int eax) {
        return new CpuidEntry(function, 0, 0, eax, 0, 0, 0);
    }

    private static Optional<CpuidEntry> find(List<CpuidEntry> in, int function) {
        List<CpuidEntry> found =
                in.stream().filter(l -> l.function() == function).toList();
        assertThat(found).hasSizeLessThan(2);
        return found.stream().findFirst();
    }

    private static String text(int... registers) {
        ByteBuffer b = ByteBuffer.allocate(4 * registers.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int r : registers) {
            b.putInt(r);
        }
        return new String(b.array(), StandardCharsets.US_ASCII);
    }

    @Test
    void itsLeavesTakeThePlaceOfKvms() {
        List<CpuidEntry> guest = HyperV.identity(BASIS, SUPPORTED, false, false);
        CpuidEntry first = find(guest, 0x4000_0000).orElseThrow();
        assertThat(first.eax()).isEqualTo(0x4000_0005);
        assertThat(text(first.ebx(), first.ecx(), first.edx())).isEqualTo("Microsoft Hv");
        assertThat(find(guest, 0)).isPresent();
        assertThat(find(guest, 7)).isPresent();
        assertThat(find(guest, 0x4000_0001)).isPresent();
        assertThat(find(guest, 0x4000_0082))
                .as("debugging, which KVM could give")
                .isEmpty();
    }

    @Test
    void guestsWithShortApicIdsAreToldThatNoInterruptNeedsRemapping() {
        List<CpuidEntry> guest = HyperV.identity(BASIS, SUPPORTED, false, true);
        assertThat(text(find(guest, 0x4000_0081).orElseThrow().eax())).isEqualTo("VS#1");
        assertThat(find(guest, 0x4000_0082).orElseThrow().eax()).isEqualTo(4);
        CpuidEntry stack = find(guest, 0x4000_0080).orElseThrow();
        assertThat(stack.eax()).isEqualTo(0x4000_0082);
        assertThat(text(stack.ebx(), stack.ecx(), stack.edx())).isEqualTo("Microsoft VS");
    }
}
