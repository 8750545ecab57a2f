package io.javisor.boot.image;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import org.junit.jupiter.api.Tag;

/** Any bytes as an archive: an image, or an {@link ImageException}. Run it by itself: one target fuzzes per JVM. */
@Tag("fuzz")
class ArchiveFuzzTest {
    @FuzzTest(maxDuration = "40s")
    void archive(byte[] data) throws IOException {
        if (data.length == 0) {
            return;
        }
        byte[] bytes = data.clone();
        for (int at = 0; at + 512 <= bytes.length; at += 512) { // checksums right, or the fuzzer would see little
            if (bytes[at + 257] == 'u') {
                HostileArchiveTest.checksum(bytes, at);
            }
        }
        try {
            new Assembly(
                            List.of(new Part.Archive(
                                    "", "fuzz", () -> new ByteArrayInputStream(bytes), (data[0] & 1) == 0)),
                            1 << 20)
                    .writeTo(new CpioSink(OutputStream.nullOutputStream()));
        } catch (ImageException e) {
            // refused, as it should be
        }
    }
}
