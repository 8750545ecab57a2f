package io.javisor.storage.npiv;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.linux.ScsiDevice.Direction;
import io.javisor.linux.ScsiDevice.Outcome;
import io.javisor.storage.scsi.ScsiCommand;
import io.javisor.storage.scsi.ScsiResult;
import io.javisor.storage.scsi.Sense;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a guest may have a device do. */
class CommandPolicyTest {
    private static final int BLOCK = 512;

    private static byte[] cdb(String hex) {
        return HexFormat.of().parseHex(hex.replace(" ", ""));
    }

    private static @Nullable Sense in(String cdb, long bytes) {
        return CommandPolicy.refusal(cdb(cdb), true, false, bytes, BLOCK);
    }

    private static @Nullable Sense out(String cdb, long bytes) {
        return CommandPolicy.refusal(cdb(cdb), false, true, bytes, BLOCK);
    }

    private static @Nullable Sense none(String cdb) {
        return CommandPolicy.refusal(cdb(cdb), false, false, 0, BLOCK);
    }

    @Test
    void contentsAndQuestionsPass() {
        assertThat(none("00 00000000 00")).isNull();
        assertThat(in("12 01 83 00FF 00", 255)).isNull();
        assertThat(in("88 00 0000000000000000 00000008 00 00", 8 * BLOCK)).isNull();
        assertThat(in("A3 0A 00000000 00001000 00 00", 4096)).isNull();
        assertThat(in("9E 10 0000000000000000 00000020 00 00", 32)).isNull();
        assertThat(out("2A 00 00000000 00 0008 00", 8 * BLOCK)).isNull();
        assertThat(out("0A 000000 00 00", 256 * BLOCK)).isNull();
        assertThat(out("89 00 0000000000000000 000000 01 00 00", 2 * BLOCK)).isNull();
        assertThat(out("93 08 0000000000000000 00001000 00 00", BLOCK)).isNull();
        assertThat(none("93 09 0000000000000000 00001000 00 00")).isNull();
        assertThat(none("8F 00 0000000000000000 00001000 00 00"))
                .as("verified without data")
                .isNull();
        assertThat(out("8F 02 0000000000000000 00000002 00 00", 2 * BLOCK)).isNull();
        assertThat(out("42 00 0000000000 0018 00", 24)).isNull();
        assertThat(out("5F 04 05 0000 00000018 00", 24)).isNull();
        assertThat(CommandPolicy.direction(cdb("5F 04 05 0000 00000018 00"))).isEqualTo(Direction.OUT);
    }

    @Test
    void whatChangesTheDeviceForOthersDoesNot() {
        for (String cdb : new String[] {
            "3B 05 00 000000 000200 00", // WRITE BUFFER: firmware
            "15 10 0000 18 00", // MODE SELECT
            "55 10 0000000000 0018 00",
            "4C 02 0000000000 0000 00", // LOG SELECT
            "04 10 0000 00 00", // FORMAT UNIT
            "48 03 0000000000 0008 00", // SANITIZE
            "1B 00 0000 00 00", // START STOP UNIT
            "1D 04 0000 00 00", // SEND DIAGNOSTIC
            "1C 01 00 0010 00", // RECEIVE DIAGNOSTIC RESULTS
            "B5 00 0000 00 00 00000010 00 00", // SECURITY PROTOCOL OUT
            "85 08 0E 00 00 00 01 00 00 00 00 00 00 00 EC 00", // ATA PASS-THROUGH
            "A1 08 0E 00 01 00 00 00 00 EC 00 00",
            "7F 00 00 00 00 00 00 18 00 09 00 00 00 00 00 00", // variable length
            "D0 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00" // a vendor's
        }) {
            assertThat(none(cdb)).as(cdb).isEqualTo(Sense.INVALID_OPCODE);
            assertThat(out(cdb, 512)).as(cdb).isEqualTo(Sense.INVALID_OPCODE);
        }
        assertThat(out("83 00 0000000000000000 00000020 00 00", 32))
                .as("EXTENDED COPY names other units")
                .isEqualTo(Sense.INVALID_FIELD);
        assertThat(out("83 01 0000000000000000 00000020 00 00", 32)).isEqualTo(Sense.INVALID_FIELD);
        assertThat(out("A4 0A 00000000 00000008 00 00", 8)).isEqualTo(Sense.INVALID_OPCODE);
    }

    @Test
    void dataGoesTheWayAndIsAsLongAsTheCommandSays() {
        assertThat(in("2A 00 00000000 00 0001 00", BLOCK)).isEqualTo(Sense.INVALID_FIELD);
        assertThat(out("28 00 00000000 00 0001 00", BLOCK)).isEqualTo(Sense.INVALID_FIELD);
        assertThat(in("00 00000000 00", 1)).isEqualTo(Sense.INVALID_FIELD);
        assertThat(out("2A 00 00000000 00 0008 00", 7 * BLOCK)).isEqualTo(Sense.INVALID_FIELD);
        assertThat(none("2A 00 00000000 00 0008 00")).isEqualTo(Sense.INVALID_FIELD);
        assertThat(out("8A 00 0000000000000000 FFFFFFFF 00 00", BLOCK)).isEqualTo(Sense.INVALID_FIELD);
        assertThat(out("8F 04 0000000000000000 00000001 00 00", BLOCK)).isEqualTo(Sense.INVALID_FIELD);
        assertThat(out("2A 20 00000000 00 0001 00", BLOCK))
                .as("protection information")
                .isEqualTo(Sense.INVALID_FIELD);
        assertThat(CommandPolicy.refusal(cdb("2A 00 00000000 00 0001 00"), false, true, BLOCK, 0))
                .as("nobody knows how long a block is")
                .isEqualTo(Sense.INVALID_FIELD);
    }

    @Test
    void aDescriptorBlockIsAsLongAsItsCodeSays() {
        assertThat(ScsiCommand.of(new byte[16]).cdb()).hasSize(6);
        assertThat(ScsiCommand.of((byte) 0x28).cdb()).hasSize(10);
        assertThat(ScsiCommand.of((byte) 0x42).cdb()).hasSize(10);
        assertThat(ScsiCommand.of((byte) 0xA0).cdb()).hasSize(12);
        assertThat(ScsiCommand.of((byte) 0x88).cdb()).hasSize(16);
        assertThat(ScsiCommand.of((byte) 0xC0).cdb()).hasSize(16);
    }

    @Test
    void largeTransfersAreParted() {
        byte[] ten = cdb("28 00 00000010 00 0800 00");
        assertThat(Transfer.of(ten)).isEqualTo(new Transfer(0x28, 0x10, 0x800));
        assertThat(Transfer.part(ten, 0x100, 0x7F)).isEqualTo(cdb("28 00 00000110 00 007F 00"));
        byte[] sixteen = cdb("8A 08 0000000100000000 00001000 00 00");
        assertThat(Transfer.part(sixteen, 0x800, 0x800)).isEqualTo(cdb("8A 08 0000000100000800 00000800 00 00"));
        assertThat(Transfer.part(cdb("AA 00 00000001 00000010 00 00"), 8, 8))
                .isEqualTo(cdb("AA 00 00000009 00000008 00 00"));
        assertThat(Transfer.of(cdb("93 00 0000000000000000 00000001 00 00"))).isNull();
    }

    @Test
    void whatBecameOfItIsToldAsItWas() {
        byte[] sense = cdb("72 05 24 00 00 00 00 0C 00 0A 80 00 00 00 00 00 00 00 12 34");
        ScsiResult failed = PassedUnit.result(new Outcome(2, 0, 8, sense, 100));
        assertThat(failed.status()).isEqualTo(ScsiResult.CHECK_CONDITION);
        assertThat(failed.senseData(20)).isEqualTo(sense);
        assertThat(failed.senseData(18)).hasSize(18);
        assertThat(failed.transferred()).isEqualTo(100);
        assertThat(PassedUnit.result(new Outcome(0, 0, 0, new byte[0], 512)).transferred())
                .isEqualTo(512);
        assertThat(PassedUnit.result(new Outcome(0x18, 0x11, 0, new byte[0], 0)).status())
                .isEqualTo(ScsiResult.RESERVATION_CONFLICT);
        assertThat(PassedUnit.result(new Outcome(0x28, 0, 0, new byte[0], 0)).status())
                .isEqualTo(ScsiResult.TASK_SET_FULL);
        for (int host : new int[] {0x01, 0x03, 0x05, 0x07, 0x08, 0x0E, 0x0F}) {
            assertThat(PassedUnit.result(new Outcome(0, host, 0, new byte[0], 0))
                            .status())
                    .isEqualTo(ScsiResult.PATH_FAILED);
        }
        assertThat(PassedUnit.result(new Outcome(0, 0x0D, 0, new byte[0], 0)).status())
                .isEqualTo(ScsiResult.BUSY);
    }
}
