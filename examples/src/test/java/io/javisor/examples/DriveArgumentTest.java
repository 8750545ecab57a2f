package io.javisor.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.api.DriveSpec;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.disk.IoLimits;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DriveArgumentTest {
    @Test
    void readsAllOptions() {
        DriveSpec spec = DriveArgument.parse(
                        "a.img,format=raw,readonly,direct,sector=4096,iops=500,iops-min=100,bandwidth=2M")
                .spec();
        assertThat(spec.path()).isEqualTo(Path.of("a.img"));
        assertThat(spec.options().format()).isEqualTo(ImageFormat.RAW);
        assertThat(spec.options().readOnly()).isTrue();
        assertThat(spec.options().direct()).isTrue();
        assertThat(spec.options().sectorBytes()).isEqualTo(4096);
        assertThat(spec.limits()).isEqualTo(new IoLimits(500, 2 << 20, 100));
    }

    @Test
    void aNameMayHaveCommas() {
        assertThat(DriveArgument.parse("a,b=c,overlay").file()).isEqualTo(Path.of("a,b=c"));
        assertThat(DriveArgument.parse("a,b").file()).isEqualTo(Path.of("a,b"));
        assertThat(DriveArgument.parse("readonly").file()).isEqualTo(Path.of("readonly"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "a,format=qcow2; format=qcow2; raw",
                "a,readonly=yes; readonly takes no value; a",
                "a,iops; iops needs a value; a",
                "a,iops=many; iops=many is no number; a",
                "a,sector=1024; sectorBytes is 1024; 4096",
                "a,bandwidth=fast; not a memory size; fast",
                "a,readonly,overlay; read-only; overlay",
                ",readonly; no file; --disk"
            })
    void saysWhatIsWrong(String text, String wrong, String also) {
        assertThatThrownBy(() -> DriveArgument.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(wrong)
                .hasMessageContaining(also);
    }
}
