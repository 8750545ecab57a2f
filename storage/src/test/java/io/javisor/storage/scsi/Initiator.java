package io.javisor.storage.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.storage.disk.IoMemory;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Objects;

/** Sends commands to a unit and checks what comes back. */
final class Initiator {
    final Nexus nexus;

    Initiator(LogicalUnit unit, String name) {
        nexus = unit.attach(new InitiatorPort(name));
    }

    static byte[] cdb(String hex) {
        return HexFormat.of().parseHex(hex.replace(" ", ""));
    }

    /** A command that must give data. */
    ByteBuffer in(String hex, int room) {
        IoMemory memory = IoMemory.allocate(room);
        ScsiResult result = nexus.execute(ScsiCommand.reading(cdb(hex), memory));
        assertThat(result.status()).as("%s: %s", hex, result).isZero();
        return ByteBuffer.wrap(memory.slice(0, result.transferred()).toByteArray());
    }

    /** A command that must take data. */
    void out(String hex, byte[] data) {
        assertThat(tryOut(hex, data)).isEqualTo(ScsiResult.good(data.length));
    }

    ScsiResult tryOut(String hex, byte[] data) {
        return nexus.execute(ScsiCommand.writing(cdb(hex), IoMemory.of(data)));
    }

    ScsiResult tryIn(String hex, int room) {
        return nexus.execute(ScsiCommand.reading(cdb(hex), IoMemory.allocate(room)));
    }

    ScsiResult run(String hex) {
        return nexus.execute(ScsiCommand.of(cdb(hex)));
    }

    /** A command without data that must do. */
    void good(String hex) {
        assertThat(run(hex)).isEqualTo(ScsiResult.good(0));
    }

    static void fails(ScsiResult result, int key, int code) {
        assertThat(result.status()).as("%s", result).isEqualTo(ScsiResult.CHECK_CONDITION);
        Sense sense = Objects.requireNonNull(result.sense());
        assertThat(String.format("%x/%04x", sense.key(), sense.code())).isEqualTo(String.format("%x/%04x", key, code));
    }
}
