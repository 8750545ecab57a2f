package io.javisor.boot.acpi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** Bytes against ACPI 6.5 section 20.2. */
class AmlTest {
    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    @Test
    void numbersTakeTheirShortestForm() {
        assertThat(hex(Aml.integer(0))).isEqualTo("00");
        assertThat(hex(Aml.integer(1))).isEqualTo("01");
        assertThat(hex(Aml.integer(0xFF))).isEqualTo("0aff");
        assertThat(hex(Aml.integer(0x100))).isEqualTo("0b0001");
        assertThat(hex(Aml.integer(0xFFFF_FFFFL))).isEqualTo("0cffffffff");
        assertThat(hex(Aml.integer(-1))).isEqualTo("0effffffffffffffff");
    }

    @Test
    void packageLengthsCountThemselves() {
        assertThat(hex(Aml.packageLength(62, true))).isEqualTo("3f");
        assertThat(hex(Aml.packageLength(63, true))).isEqualTo("4104");
        assertThat(hex(Aml.packageLength(0xFFD, true))).isEqualTo("4fff");
        assertThat(hex(Aml.packageLength(0xFFE, true))).isEqualTo("810001");
        assertThat(hex(Aml.packageLength(0xFFFFC, true))).isEqualTo("8fffff");
        assertThat(hex(Aml.packageLength(0xFFFFD, true))).isEqualTo("c1000001");
        assertThat(hex(Aml.packageLength(8, false))).isEqualTo("08");
        assertThatThrownBy(() -> Aml.packageLength(1 << 28, true)).hasMessageContaining("256 MiB");
    }

    @Test
    void namesAndIds() {
        assertThat(hex(Aml.eisaId("PNP0501"))).isEqualTo("0c41d00501");
        assertThat(hex(Aml.path("\\_SB_"))).isEqualTo("5c5f53425f");
        assertThat(hex(Aml.path("\\_SB_.PWRB"))).isEqualTo("5c2e5f53425f50575242");
        assertThat(hex(Aml.path("AAAA.BBBB.CCCC"))).isEqualTo("2f03414141414242424243434343");
        assertThatThrownBy(() -> Aml.path("AB")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Aml.path("AAAA..BBBB")).isInstanceOf(IllegalArgumentException.class);
    }
}
