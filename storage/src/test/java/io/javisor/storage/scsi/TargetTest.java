package io.javisor.storage.scsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.IoMemory;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TargetTest {
    private final Disk disk = DiskImage.memory("disk", 1 << 20, 512);
    private final DiskUnit unit = new DiskUnit(disk);
    private final ScsiTarget target = new ScsiTarget();

    @AfterEach
    void close() {
        disk.close();
    }

    private ScsiResult run(int lun, String hex, IoMemory into) {
        return target.execute(lun, ScsiCommand.reading(Initiator.cdb(hex), into));
    }

    @Test
    void reportLuns() {
        target.add(0, unit.attach(new InitiatorPort("g")));
        target.add(5, new DiskUnit(disk).attach(new InitiatorPort("g")));
        IoMemory memory = IoMemory.allocate(64);
        assertThat(run(0, "A0 00 00 000000 00000040 00 00", memory)).isEqualTo(ScsiResult.good(24));
        ByteBuffer luns = ByteBuffer.wrap(memory.toByteArray());
        assertThat(luns.getInt(0)).isEqualTo(16);
        assertThat(luns.get(8 + 1)).isZero();
        assertThat(luns.get(16 + 1)).isEqualTo((byte) 5);
        Initiator.fails(run(0, "A0 00 00 000000 0000000F 00 00", memory), 5, 0x2400);
    }

    @Test
    void absentUnits() {
        IoMemory memory = IoMemory.allocate(64);
        assertThat(run(3, "12 00 00 00 24 00", memory).status()).isZero();
        assertThat(memory.toByteArray()[0]).isEqualTo((byte) 0x7F);
        Initiator.fails(run(3, "00 00 00 00 00 00", memory), 5, 0x2500);
        run(3, "03 00 00 00 12 00", memory);
        assertThat(ByteBuffer.wrap(memory.toByteArray()).getShort(12)).isEqualTo((short) 0x2500);
    }

    @Test
    void unitsThatComeAndGoAreAnnouncedToTheOthers() {
        Nexus first = unit.attach(new InitiatorPort("g"));
        target.add(0, first);
        target.add(1, new DiskUnit(disk).attach(new InitiatorPort("g")));
        Initiator.fails(run(0, "00 00 00 00 00 00", IoMemory.allocate(1)), 6, 0x3F0E);
        assertThat(target.remove(1)).isNotNull();
        assertThat(run(0, "A0 00 00 000000 00000040 00 00", IoMemory.allocate(64))
                        .status())
                .isZero();
        assertThat(run(0, "00 00 00 00 00 00", IoMemory.allocate(1)).status())
                .as("REPORT LUNS was told")
                .isZero();
        assertThat(target.remove(1)).isNull();
        assertThatThrownBy(() -> target.add(0, first)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> target.add(256, first)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void reportTargetPortGroupsAndAccessStates() {
        var left = new TargetPort(1, 1);
        var right = new TargetPort(2, 2);
        var groups = new PortGroups(List.of(left, right));
        unit.setPortGroups(groups);
        Nexus byLeft = unit.attach(new InitiatorPort("g"), left);
        Nexus byRight = unit.attach(new InitiatorPort("g"), right);
        groups.setState(2, AccessState.STANDBY);
        byRight.raise(Sense.accessStateChanged());
        IoMemory block = IoMemory.allocate(512);
        var read = ScsiCommand.reading(Initiator.cdb("28 00 00000000 00 0001 00"), block);
        assertThat(byLeft.execute(read).status()).isZero();
        Initiator.fails(byRight.execute(read), 6, 0x2A06);
        Initiator.fails(byRight.execute(read), 2, 0x040B);
        IoMemory report = IoMemory.allocate(64);
        ScsiResult result =
                byRight.execute(ScsiCommand.reading(Initiator.cdb("A3 0A 00000000 00000040 00 00"), report));
        assertThat(result).isEqualTo(ScsiResult.good(4 + 2 * 12));
        ByteBuffer data = ByteBuffer.wrap(report.toByteArray());
        assertThat(data.get(4) & 0xF).isZero();
        assertThat(data.get(16) & 0xF).isEqualTo(2);
        assertThat(data.getShort(18)).isEqualTo((short) 2);
        IoMemory inquiry = IoMemory.allocate(96);
        byRight.execute(ScsiCommand.reading(Initiator.cdb("12 00 00 00 60 00"), inquiry));
        assertThat(inquiry.toByteArray()[5] & 0x30).as("implicit ALUA").isEqualTo(0x10);
        byRight.execute(ScsiCommand.reading(Initiator.cdb("12 01 83 00 FF 00"), IoMemory.allocate(255)));
    }

    @Test
    void dvd() {
        try (Disk image = DiskImage.memory("iso", 64 * 2048, 2048)) {
            var dvd = new DvdUnit(UUID.randomUUID(), null);
            var guest = new Initiator(dvd, "g");
            assertThat(guest.in("12 00 00 00 60 00", 96).get(0)).isEqualTo((byte) 5);
            Initiator.fails(guest.run("00 00 00 00 00 00"), 2, 0x3A00);
            Initiator.fails(guest.tryIn("28 00 00000000 00 0001 00", 2048), 2, 0x3A00);
            dvd.change(image);
            Initiator.fails(guest.run("00 00 00 00 00 00"), 6, 0x2800);
            guest.good("00 00 00 00 00 00");
            ByteBuffer capacity = guest.in("25 00 00000000 0000 00 00", 8);
            assertThat(capacity.getInt(0)).isEqualTo(63);
            assertThat(capacity.getInt(4)).isEqualTo(2048);
            assertThat(guest.in("28 00 00000002 00 0003 00", 3 * 2048).limit()).isEqualTo(3 * 2048);
            Initiator.fails(guest.tryIn("A8 00 0000003F 00000002 00 00", 4096), 5, 0x2100);
            ByteBuffer toc = guest.in("43 00 00 000000 00 0014 00", 20);
            assertThat(toc.getShort(0)).isEqualTo((short) 18);
            assertThat(toc.get(14) & 0xFF).isEqualTo(0xAA);
            assertThat(toc.getInt(16)).isEqualTo(64);
            ByteBuffer configuration = guest.in("46 00 0000 000000 0040 00", 64);
            assertThat(configuration.getShort(6)).isEqualTo((short) 0x10);
            assertThat(configuration.getInt(0) + 4).isEqualTo(configuration.limit());
            ByteBuffer event = guest.in("4A 01 0000 10 0000 0008 00", 8);
            assertThat(event.get(4)).as("new medium").isEqualTo((byte) 2);
            assertThat(event.get(5)).isEqualTo((byte) 2);
            assertThat(guest.in("4A 01 0000 10 0000 0008 00", 8).get(4))
                    .as("told once")
                    .isZero();
            assertThat(guest.in("51 00 0000000000 0022 00", 34).limit()).isEqualTo(34);
            assertThat(guest.in("1A 00 2A 00 FF 00", 255).get(4)).isEqualTo((byte) 0x2A);
            assertThat(guest.in("5A 00 2A 00 000000 00FF 00", 255).get(8)).isEqualTo((byte) 0x2A);
            guest.good("1E 00 00 00 01 00");
            Initiator.fails(guest.run("1B 00 00 00 02 00"), 5, 0x5302);
            guest.good("1E 00 00 00 00 00");
            guest.good("1B 00 00 00 02 00");
            Initiator.fails(guest.run("00 00 00 00 00 00"), 2, 0x3A00);
            assertThat(dvd.medium()).isNull();
        }
    }
}
