package io.javisor.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.javisor.kvm.Kvm;
import java.nio.file.Files;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The example of the typed layer runs on this machine's own KVM. */
@Timeout(60)
class RawKvmTest {
    static final String OUTPUT = "hello from a guest\ndevice memory at 0x9000 = 42\nhalted\n";

    @Test
    void runsNatively() {
        assumeTrue(Files.isWritable(Kvm.DEVICE), "needs a /dev/kvm that this user may open");
        assertThat(Printed.by(() -> RawKvm.main(new String[0]))).isEqualTo(OUTPUT);
    }
}
