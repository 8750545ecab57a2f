package io.javisor.kvm.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.linux.PageSize;
import io.javisor.partition.GuestMemory;
import io.javisor.partition.MemoryRegion;
import io.javisor.partition.synic.HvStatus;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExtendedHypercallsTest {
    private static final long MIB = 1 << 20;
    private static final long IN = 0x1000;
    private static final long COLD = 2;
    private static final long LARGE = 1 << 11;

    private final MemfdBacking backing = MemfdBacking.reserve("test", 16 * MIB, PageSize.KIB_4);
    private final GuestMemory memory = new GuestMemory();
    private final List<String> discarded = new ArrayList<>();
    private boolean fails;
    private final ExtendedHypercalls calls = new ExtendedHypercalls(memory, (gpa, length) -> {
        if (fails) {
            throw new IllegalStateException("the host can't");
        }
        discarded.add(Long.toHexString(gpa) + "+" + Long.toHexString(length));
    });

    ExtendedHypercallsTest() {
        memory.add(new MemoryRegion(0, 8 * MIB, 0, backing, 0));
        memory.add(new MemoryRegion(8 * MIB, 4 * MIB, 0, backing, 8 * MIB));
        memory.add(new MemoryRegion(32 * MIB, 4 * MIB, 0, backing, 12 * MIB));
    }

    @AfterEach
    void close() {
        backing.close();
    }

    private long hint(long heat, int first, long... ranges) {
        memory.putLong(IN, heat);
        for (int i = 0; i < ranges.length; i++) {
            memory.putLong(IN + 8 + 8L * i, ranges[i]);
        }
        return calls.call(ExtendedHypercalls.MEMORY_HEAT_HINT | (long) ranges.length << 32 | (long) first << 48, IN, 0);
    }

    private static long done(int ranges) {
        return (long) ranges << 32;
    }

    @Test
    void theGuestLearnsWhatThereIs() {
        assertThat(calls.call(ExtendedHypercalls.QUERY_CAPABILITIES, 0, 0x2000)).isZero();
        assertThat(memory.getLong(0x2000))
                .as("HV_EXT_CAPABILITY_MEMORY_COLD_DISCARD_HINT")
                .isEqualTo(0x100);
        assertThat(calls.call(ExtendedHypercalls.QUERY_CAPABILITIES, 0, 0x2001))
                .isEqualTo(HvStatus.INVALID_ALIGNMENT.code());
        assertThat(calls.call(ExtendedHypercalls.QUERY_CAPABILITIES, 0, 20 * MIB))
                .isEqualTo(HvStatus.INVALID_PARAMETER.code());
    }

    @Test
    void coldPagesAreDiscarded() {
        assertThat(hint(COLD, 0, 2 * MIB | LARGE, 0x5000, 6 * MIB | LARGE | 1, 32 * MIB | LARGE))
                .isEqualTo(done(4));
        assertThat(discarded)
                .as("one of them over two regions")
                .containsExactly("200000+200000", "5000+1000", "600000+400000", "2000000+200000");
    }

    @Test
    void aCallThatWasInterruptedGoesOn() {
        assertThat(hint(COLD, 1, 2 * MIB | LARGE, 0x5000)).isEqualTo(done(2));
        assertThat(discarded).containsExactly("5000+1000");
    }

    @ParameterizedTest
    @ValueSource(
            longs = {
                16 * MIB | LARGE, // beyond
                10 * MIB | LARGE | 1, // over the end
                LARGE | 1 << 12, // 1 GiB
                2 * MIB | LARGE | 1 << 12, // and not aligned to it
                0x7FF, // within the memory, 8 MiB: allowed
                -4096 // negative
            })
    void whatIsNoMemoryIsRefusedAndWhatCameBeforeIsDone(long range) {
        long answer = hint(COLD, 0, 0x5000, range);
        if (range == 0x7FF) {
            assertThat(answer).isEqualTo(done(2));
        } else {
            assertThat(answer).isEqualTo(HvStatus.INVALID_PARAMETER.code() | done(1));
            assertThat(discarded).containsExactly("5000+1000");
        }
    }

    @Test
    void nonsenseIsRefused() {
        assertThat(hint(0, 0, 0x5000)).as("merely cold").isEqualTo(HvStatus.INVALID_PARAMETER.code());
        assertThat(hint(COLD | 4, 0, 0x5000)).as("reserved bits").isEqualTo(HvStatus.INVALID_PARAMETER.code());
        assertThat(hint(COLD, 0)).as("no ranges").isEqualTo(HvStatus.INVALID_PARAMETER.code());
        assertThat(hint(COLD, 2, 0x5000)).as("begun after its end").isEqualTo(HvStatus.INVALID_PARAMETER.code());
        assertThat(calls.call(ExtendedHypercalls.MEMORY_HEAT_HINT | 512L << 32, IN, 0))
                .as("more than a page holds")
                .isEqualTo(HvStatus.INVALID_ALIGNMENT.code());
        assertThat(calls.call(ExtendedHypercalls.MEMORY_HEAT_HINT | 1L << 32, 20 * MIB, 0))
                .isEqualTo(HvStatus.INVALID_PARAMETER.code());
        assertThat(calls.call(ExtendedHypercalls.MEMORY_HEAT_HINT | 1 << 16, IN, 0))
                .as("in registers")
                .isEqualTo(HvStatus.INVALID_HYPERCALL_INPUT.code());
        assertThat(calls.call(0x8002, IN, 0)).isEqualTo(HvStatus.INVALID_HYPERCALL_CODE.code());
        assertThat(discarded).isEmpty();
    }

    @Test
    void aHostThatCantIsNoEnd() {
        fails = true;
        assertThat(hint(COLD, 0, 0x5000)).isEqualTo(HvStatus.OPERATION_DENIED.code());
    }
}
