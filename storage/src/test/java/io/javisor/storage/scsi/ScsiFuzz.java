package io.javisor.storage.scsi;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.IoMemory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Tag;

/** Commands as the input says, from two initiators to a disk and a DVD. */
@Tag("fuzz")
class ScsiFuzz {
    @FuzzTest(maxDuration = "5m")
    void commands(byte[] input) {
        try (var disk = DiskImage.memory("fuzz", 256 << 10, 512);
                var iso = DiskImage.memory("iso", 64 << 10, 2048)) {
            var unit = new DiskUnit(disk);
            var dvd = new DvdUnit(UUID.randomUUID(), iso);
            var nexuses = List.of(
                    unit.attach(new InitiatorPort("a")),
                    unit.attach(new InitiatorPort("b")),
                    dvd.attach(new InitiatorPort("a")));
            var target = new ScsiTarget(false);
            for (int i = 0; i < nexuses.size(); i++) {
                target.add(i, nexuses.get(i));
            }
            byte[] naa = Arrays.copyOfRange(unit.vitalProductData(nexuses.getFirst(), 0x83), 48, 60);
            ByteBuffer in = ByteBuffer.wrap(input);
            while (in.remaining() >= 19) {
                Nexus nexus = nexuses.get((in.get() & 0xFF) % 3);
                byte[] cdb = new byte[16];
                in.get(cdb);
                int length = Short.toUnsignedInt(in.getShort()) % 9000;
                byte[] data = new byte[length];
                boolean writing = (length & 1) != 0;
                if (writing) {
                    in.get(data, 0, Math.min(length, in.remaining()));
                    if (cdb[0] == (byte) 0x83 && length > 60) { // a name that no input could guess
                        System.arraycopy(naa, 0, data, 20, naa.length);
                    }
                }
                ScsiResult result = nexus.execute(
                        writing
                                ? ScsiCommand.writing(cdb, IoMemory.of(data))
                                : ScsiCommand.reading(cdb, IoMemory.of(data)));
                if (result.transferred() > length || Sense.TARGET_FAILURE.equals(result.sense())) {
                    throw new AssertionError(result + " to command " + cdb[0]);
                }
            }
        }
    }
}
