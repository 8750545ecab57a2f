package io.javisor.numa;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sets and the kernel's list format. */
class CpuSetTest {
    @ParameterizedTest
    @ValueSource(strings = {"", "0", "0-1", "0,2", "0-3,8,10-11", "5-7,63-65,8191"})
    void textComesBack(String list) {
        assertThat(CpuSet.parse(list)).hasToString(list);
        assertThat(CpuSet.parse(" " + list + "\n")).isEqualTo(CpuSet.parse(list));
    }

    @ParameterizedTest
    @ValueSource(strings = {"-", "1-", "-1", "a", "0,,1", ",", "3-1", "0-131072", "99999999999", "1 2", "0x1", "٣"})
    void otherTextIsRefused(String list) {
        assertThatIllegalArgumentException().isThrownBy(() -> CpuSet.parse(list));
    }

    @Test
    void anySetComesBackFromItsText() {
        var random = new Random(7);
        for (int round = 0; round < 200; round++) {
            int[] members =
                    IntStream.range(0, 100).filter(i -> random.nextInt(3) > 0).toArray();
            CpuSet set = CpuSet.of(members);
            assertThat(CpuSet.parse(set.toString())).isEqualTo(set);
            assertThat(set.size()).isEqualTo(members.length);
        }
    }

    @Test
    void algebra() {
        CpuSet a = CpuSet.parse("0-3");
        CpuSet b = CpuSet.parse("2-5");
        assertThat(a.and(b)).hasToString("2-3");
        assertThat(a.or(b)).hasToString("0-5");
        assertThat(a.minus(b)).hasToString("0-1");
        assertThat(a.containsAll(CpuSet.of(1, 3))).isTrue();
        assertThat(a.containsAll(b)).isFalse();
        assertThat(a.first()).isZero();
        assertThat(b.last()).isEqualTo(5);
        assertThat(CpuSet.EMPTY.first()).isEqualTo(-1);
        assertThat(CpuSet.EMPTY.last()).isEqualTo(-1);
        assertThat(a.contains(-1)).isFalse();
        a.toBitSet().clear();
        assertThat(a).hasToString("0-3");
    }

    @Test
    void membersAreBounded() {
        assertThatIllegalArgumentException().isThrownBy(() -> CpuSet.of(-1));
        assertThatIllegalArgumentException().isThrownBy(() -> CpuSet.of(CpuSet.LIMIT));
        assertThatIllegalArgumentException().isThrownBy(() -> CpuSet.range(2, 1));
    }
}
