package io.javisor.storage.fibrechannel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.HypervisorException;
import io.javisor.partition.state.StateException;
import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.DiskOptions;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.disk.ImageSpec;
import io.javisor.storage.disk.IoMemory;
import io.javisor.storage.scsi.AccessState;
import io.javisor.storage.scsi.CopyDomain;
import io.javisor.storage.scsi.DiskUnit;
import io.javisor.storage.scsi.RemotePort;
import io.javisor.storage.scsi.ScsiCommand;
import io.javisor.storage.scsi.ScsiResult;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who sees what at a SAN, by which path, and what becomes of it when something changes. */
class SoftwareSanTest {
    private static final Wwn NODE = Wwn.of("c003ff0000ffff00");
    private static final Wwn ONE = Wwn.of("c003ff0000010000");
    private static final Wwn TWO = Wwn.of("c003ff0000020000");
    private static final String READY = "000000000000";

    @TempDir
    private Path folder;

    private final List<Disk> disks = new ArrayList<>();

    @AfterEach
    void close() {
        disks.forEach(Disk::close);
    }

    private DiskUnit unit() {
        Disk disk = DiskImage.memory("disk" + disks.size(), 1 << 20, 512);
        disks.add(disk);
        return new DiskUnit(disk);
    }

    private static FabricLogin login(SoftwareSan san, Wwn name, Runnable changed) {
        return san.login("", NODE, name, new CopyDomain(), changed);
    }

    private static FabricLogin login(SoftwareSan san, Wwn name) {
        return login(san, name, () -> {});
    }

    private static RemotePort port(FabricLogin login, int target) {
        return Objects.requireNonNull(login.at(0, target));
    }

    private static ScsiResult run(FabricLogin login, int target, int lun, String cdb) {
        return port(login, target).execute(lun, ScsiCommand.of(HexFormat.of().parseHex(cdb)));
    }

    private static ByteBuffer read(FabricLogin login, int target, int lun, String cdb, int room) {
        IoMemory memory = IoMemory.allocate(room);
        ScsiResult result = port(login, target)
                .execute(lun, ScsiCommand.reading(HexFormat.of().parseHex(cdb), memory));
        assertThat(result.status()).as("%s: %s", cdb, result).isZero();
        return ByteBuffer.wrap(memory.slice(0, result.transferred()).toByteArray());
    }

    private static ScsiResult reserve(FabricLogin login, int target, String cdb, long key, long newKey, int flags) {
        ByteBuffer parameters =
                ByteBuffer.allocate(24).putLong(0, key).putLong(8, newKey).put(20, (byte) flags);
        return port(login, target)
                .execute(0, ScsiCommand.writing(HexFormat.of().parseHex(cdb), IoMemory.of(parameters.array())));
    }

    private static void settled(FabricLogin login, int target, int lun) {
        fails(run(login, target, lun, READY), 0x62900);
        assertThat(run(login, target, lun, READY).status()).isZero();
    }

    /** @param code sense key, then ASC and ASCQ */
    private static void fails(ScsiResult result, int code) {
        assertThat(result.status()).as("%s", result).isEqualTo(ScsiResult.CHECK_CONDITION);
        var sense = Objects.requireNonNull(result.sense());
        assertThat(Integer.toHexString(sense.key() << 16 | sense.code())).isEqualTo(Integer.toHexString(code));
    }

    private static List<Integer> luns(FabricLogin login, int target) {
        ByteBuffer list = read(login, target, 0, "a00000000000000010000000", 4096);
        var luns = new ArrayList<Integer>();
        for (int at = 8; at < 8 + list.getInt(0); at += 8) {
            luns.add(Short.toUnsignedInt(list.getShort(at)));
        }
        return luns;
    }

    @Test
    void anInitiatorSeesWhatItsMaskAllowsUnderNumbersOfItsOwn() {
        try (SoftwareSan san = SoftwareSan.of("san")) {
            SanVolume shared = san.add("shared", unit());
            SanVolume own = san.add("own", unit());
            san.add("hidden", unit());
            FabricLogin one = login(san, ONE);
            FabricLogin two = login(san, TWO);
            assertThat(luns(one, 0)).isEmpty();
            shared.presentTo(ONE, 3);
            shared.presentTo(TWO, 0);
            own.presentTo(TWO, 254);
            assertThat(luns(one, 0)).containsExactly(3);
            assertThat(luns(two, 0)).containsExactly(0, 254);
            settled(one, 0, 3);
            settled(two, 0, 254);
            for (int lun = 0; lun < 256; lun++) {
                assertThat(port(one, 0).answersFor(lun)).isEqualTo(lun == 3);
            }
            assertThat(read(one, 0, 3, "12018000ff00", 255))
                    .as("one serial number")
                    .matches(serial -> serial.capacity() == 36)
                    .isEqualTo(read(two, 0, 0, "12018000ff00", 255));

            own.present(7);
            assertThat(luns(one, 0)).containsExactly(3, 7);
            assertThat(luns(two, 0)).as("its own number is stronger").containsExactly(0, 254);
            assertThatThrownBy(() -> shared.presentTo(ONE, 7)).hasMessageContaining("LUN 7");
            assertThatThrownBy(() -> own.present(3)).hasMessageContaining("LUN 3 of " + ONE);
            assertThatThrownBy(() -> own.present(255)).isInstanceOf(IllegalArgumentException.class);
            assertThat(luns(one, 0)).as("nothing has changed").containsExactly(3, 7);
            own.hide();
            assertThat(luns(one, 0)).containsExactly(3);
            assertThat(luns(two, 0)).containsExactly(0);
        }
    }

    @Test
    void zonesSayWhichTargetsAreSeen() {
        try (SoftwareSan san =
                SoftwareSan.builder("san").ports("a", 2).ports("b", 1).build()) {
            san.add("disk", unit()).present(0);
            FabricLogin one = login(san, ONE);
            FabricLogin two = san.login("b", NODE, TWO, new CopyDomain(), () -> {});
            assertThat(one.at(0, 2)).as("another fabric").isNull();
            assertThat(two.at(0, 0)).isNull();
            assertThat(luns(two, 2)).containsExactly(0);
            assertThat(one.at(1, 0)).as("another channel").isNull();
            assertThat(one.at(0, 3)).isNull();
            assertThat(one.at(0, 255)).isNull();

            san.zone("z", Set.of(ONE, san.ports().get(1).name()));
            assertThat(one.at(0, 0)).isNull();
            settled(one, 1, 0);
            assertThat(luns(two, 2)).as("not zoned at all").containsExactly(0);
            san.openDefaultZone(false);
            assertThat(two.at(0, 2)).isNull();
            assertThat(san.removeZone("z")).isTrue();
            assertThat(san.removeZone("z")).isFalse();
            assertThat(one.at(0, 1)).isNull();
            san.openDefaultZone(true);
            assertThat(luns(one, 0)).containsExactly(0);
        }
    }

    @Test
    void aVolumeHasOneNameByEveryPath() {
        try (SoftwareSan san = SoftwareSan.builder("san").ports("a", 2).build()) {
            san.add("disk", unit()).present(5);
            FabricLogin one = login(san, ONE);
            byte[] first = read(one, 0, 5, "12018300ff00", 255).array();
            byte[] second = read(one, 1, 5, "12018300ff00", 255).array();
            assertThat(Arrays.copyOf(first, 60)).as("T10 name and NAA").isEqualTo(Arrays.copyOf(second, 60));
            assertThat(first[48 + 4] >> 4).as("locally assigned").isEqualTo(3);
            assertThat(ByteBuffer.wrap(first).getInt(64))
                    .as("relative target port")
                    .isEqualTo(1);
            assertThat(ByteBuffer.wrap(second).getInt(64)).isEqualTo(2);
            assertThat(ByteBuffer.wrap(first).getInt(72))
                    .as("target port group")
                    .isEqualTo(1);
            assertThat(ByteBuffer.wrap(second).getInt(72)).isEqualTo(2);
        }
    }

    @Test
    void commandsByABrokenPathEndWithAnErrorAndTheOtherPathWorks() {
        try (SoftwareSan san =
                SoftwareSan.builder("san").ports("a", 2).ports("b", 1).build()) {
            san.add("disk", unit()).present(0);
            FabricLogin one = login(san, ONE);
            settled(one, 0, 0);
            settled(one, 1, 0);
            SanPort port = san.ports().getFirst();
            port.fail();
            for (String cdb : List.of(READY, "120000002400", "a00000000000000010000000", "28000000000000000100")) {
                assertThat(run(one, 0, 0, cdb)).isEqualTo(ScsiResult.pathFailed());
                assertThat(run(one, 0, 9, cdb)).isEqualTo(ScsiResult.pathFailed());
            }
            assertThat(port(one, 0).answersFor(9))
                    .as("it is not said what is gone")
                    .isTrue();
            assertThat(run(one, 1, 0, READY).status()).isZero();
            port.restore();
            assertThat(run(one, 0, 0, READY).status()).isZero();

            san.failFabric("a");
            assertThat(run(one, 0, 0, READY)).isEqualTo(ScsiResult.pathFailed());
            assertThat(run(one, 1, 0, READY)).isEqualTo(ScsiResult.pathFailed());
            FabricLogin two = san.login("b", NODE, TWO, new CopyDomain(), () -> {});
            settled(two, 2, 0);
            san.restoreFabric("a");
            assertThat(run(one, 0, 0, READY).status()).isZero();
            assertThatThrownBy(() -> san.failFabric("c"))
                    .isInstanceOfSatisfying(
                            HypervisorException.class, e -> assertThat(e.code()).isEqualTo("fc-no-fabric"));
        }
    }

    @Test
    void anAnswerIsLostWithTheLinkThatItComesBy() {
        try (SoftwareSan san = SoftwareSan.of("san");
                Disk disk = DiskImage.memory("slow", 1 << 20, 512)) {
            SanPort port = san.ports().getFirst();
            Disk cutting = new CuttingDisk(disk, port);
            san.add("disk", new DiskUnit(cutting)).present(0);
            FabricLogin one = login(san, ONE);
            settled(one, 0, 0);
            ScsiResult result = port(one, 0)
                    .execute(
                            0,
                            ScsiCommand.reading(
                                    HexFormat.of().parseHex("28000000000000000100"), IoMemory.allocate(512)));
            assertThat(result).isEqualTo(ScsiResult.pathFailed());
        }
    }

    @Test
    void aGroupOfPortsSaysWhatItLetsThrough() {
        try (SoftwareSan san = SoftwareSan.builder("san").ports("a", 2).build()) {
            SanVolume disk = san.add("disk", unit());
            disk.present(0);
            FabricLogin one = login(san, ONE);
            settled(one, 0, 0);
            settled(one, 1, 0);
            san.setAccess(2, AccessState.STANDBY);
            fails(run(one, 0, 0, READY), 0x62A06);
            fails(run(one, 1, 0, READY), 0x62A06);
            assertThat(run(one, 0, 0, READY).status()).isZero();
            fails(run(one, 1, 0, READY), 0x2040B);
            ByteBuffer groups = read(one, 1, 0, "a30a00000000000000ff0000", 255);
            assertThat(groups.getInt(0)).isEqualTo(24);
            assertThat(groups.get(4) & 0xF).isZero();
            assertThat(groups.getShort(6)).isEqualTo((short) 1);
            assertThat(groups.get(16) & 0xF).isEqualTo(2);
            assertThat(groups.getShort(26)).isEqualTo((short) 2);
            disk.setAccess(2, AccessState.OPTIMIZED);
            fails(run(one, 1, 0, READY), 0x62A06);
            assertThat(run(one, 1, 0, READY).status()).isZero();
        }
    }

    @Test
    void initiatorsAreToldOfUnitsThatComeAndGo() {
        try (SoftwareSan san = SoftwareSan.of("san")) {
            var told = new AtomicInteger();
            var toldOther = new AtomicInteger();
            san.add("first", unit()).present(0);
            FabricLogin one = login(san, ONE, told::incrementAndGet);
            login(san, TWO, toldOther::incrementAndGet);
            settled(one, 0, 0);
            SanVolume second = san.add("second", unit());
            assertThat(told).as("nobody sees it").hasValue(0);
            second.presentTo(ONE, 1);
            assertThat(told).hasValue(1);
            assertThat(toldOther).as("nothing of his").hasValue(0);
            fails(run(one, 0, 0, READY), 0x63F0E);
            settled(one, 0, 1);
            second.presentTo(ONE, 2);
            assertThat(luns(one, 0)).containsExactly(0, 2);
            assertThat(run(one, 0, 0, READY).status())
                    .as("REPORT LUNS has told it")
                    .isZero();
            assertThat(san.remove(second)).isTrue();
            assertThat(san.remove(second)).isFalse();
            fails(run(one, 0, 0, READY), 0x63F0E);
            assertThat(port(one, 0).answersFor(2)).isFalse();
            assertThat(told).hasValue(3);
            assertThat(toldOther).hasValue(0);
        }
    }

    @Test
    void machinesFenceEachOtherByReservations() {
        try (SoftwareSan san = SoftwareSan.builder("san").ports("a", 2).build()) {
            san.add("disk", unit()).present(0);
            FabricLogin one = login(san, ONE);
            FabricLogin two = login(san, TWO);
            for (FabricLogin login : List.of(one, two)) {
                settled(login, 0, 0);
                settled(login, 1, 0);
            }
            String write = "2a000000000000000100";
            String register = "5f000000000000001800";
            assertThat(reserve(one, 0, register, 0, 0x111, 0).status()).isZero();
            assertThat(reserve(two, 0, register, 0, 0x222, 0).status()).isZero();
            // Write exclusive, registrants only.
            assertThat(reserve(one, 0, "5f010500000000001800", 0x111, 0, 0).status())
                    .isZero();
            assertThat(write(one, 0, write).status()).isZero();
            assertThat(write(two, 0, write).status()).isZero();
            assertThat(write(two, 1, write).status())
                    .as("a path that is not registered")
                    .isEqualTo(ScsiResult.RESERVATION_CONFLICT);
            assertThat(reserve(two, 0, "5f050500000000001800", 0x222, 0x111, 0).status())
                    .as("preempt and abort")
                    .isZero();
            fails(write(one, 0, write), 0x62A05);
            assertThat(write(one, 0, write).status()).as("fenced").isEqualTo(ScsiResult.RESERVATION_CONFLICT);
            assertThat(write(two, 0, write).status()).isZero();
            ByteBuffer status = read(two, 0, 0, "5e030000000000100000", 4096);
            assertThat(status.getLong(8)).isEqualTo(0x222);
            assertThat(status.getLong(32 + 8))
                    .as("TransportID of Fibre Channel")
                    .isEqualTo(TWO.value());
        }
    }

    private static ScsiResult write(FabricLogin login, int target, String cdb) {
        return port(login, target)
                .execute(0, ScsiCommand.writing(HexFormat.of().parseHex(cdb), IoMemory.allocate(512)));
    }

    @Test
    void reservationsOutliveTheSanIfTheyShall() throws Exception {
        Path image = folder.resolve("disk.vhdx");
        DiskImage.create(image, ImageSpec.dynamic(ImageFormat.VHDX, 8 << 20));
        for (int round = 0; round < 2; round++) {
            try (SoftwareSan san = SoftwareSan.of("san")) {
                san.open("disk", image, DiskOptions.DEFAULT).present(0);
                FabricLogin one = login(san, ONE);
                FabricLogin two = login(san, TWO);
                settled(one, 0, 0);
                settled(two, 0, 0);
                if (round == 0) {
                    assertThat(reserve(one, 0, "5f000000000000001800", 0, 0x111, 1)
                                    .status())
                            .isZero();
                    assertThat(reserve(one, 0, "5f010100000000001800", 0x111, 0, 0)
                                    .status())
                            .isZero();
                }
                assertThat(write(two, 0, "2a000000000000000100").status()).isEqualTo(ScsiResult.RESERVATION_CONFLICT);
                assertThat(write(one, 0, "2a000000000000000100").status()).isZero();
            }
        }
        assertThat(folder.resolve("disk.vhdx.reservations")).isNotEmptyFile();
    }

    @Test
    void aNameIsLoggedInOnce() {
        SoftwareSan san = SoftwareSan.of("san");
        FabricLogin one = login(san, ONE);
        assertThat(san.initiators()).containsExactly(ONE);
        for (Wwn taken : List.of(ONE, san.ports().getFirst().name())) {
            assertThatThrownBy(() -> login(san, taken))
                    .isInstanceOfSatisfying(
                            HypervisorException.class, e -> assertThat(e.code()).isEqualTo("fc-name-in-use"));
        }
        one.close();
        one.close();
        assertThat(run(one, 0, 0, READY)).isEqualTo(ScsiResult.pathFailed());
        FabricLogin again = login(san, ONE);
        san.close();
        assertThat(run(again, 0, 0, READY)).isEqualTo(ScsiResult.pathFailed());
        again.close();
        san.close();
        assertThatThrownBy(() -> login(san, ONE))
                .isInstanceOfSatisfying(
                        HypervisorException.class, e -> assertThat(e.code()).isEqualTo("fc-san-closed"));
        assertThatThrownBy(() ->
                        SoftwareSan.builder("s").port("a", ONE).port("b", ONE).build())
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void whatAnInitiatorHasSeenIsTakenUp() {
        try (SoftwareSan san = SoftwareSan.of("san")) {
            SanVolume disk = san.add("disk", unit());
            disk.present(4);
            FabricLogin one = login(san, ONE);
            settled(one, 0, 4);
            disk.setAccess(1, AccessState.NON_OPTIMIZED);
            List<FabricLogin.SeenUnit> seen = one.seen();
            one.close();
            FabricLogin again = login(san, ONE);
            again.resume(seen);
            fails(run(again, 0, 4, READY), 0x62A06);
            assertThat(run(again, 0, 4, READY).status()).isZero();
            again.close();
            disk.hide();
            san.add("other", unit()).present(4);
            FabricLogin wrong = login(san, ONE);
            assertThatThrownBy(() -> wrong.resume(seen))
                    .isInstanceOf(StateException.class)
                    .hasMessageContaining("LUN 4 of target 0");
        }
    }
}
