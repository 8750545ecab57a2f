package io.javisor.storage.storvsp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.HypervisorException;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.IoMemory;
import io.javisor.storage.fibrechannel.FabricLogin;
import io.javisor.storage.fibrechannel.PortNames;
import io.javisor.storage.fibrechannel.SanVolume;
import io.javisor.storage.fibrechannel.SoftwareSan;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.fibrechannel.WwnSet;
import io.javisor.storage.scsi.AccessState;
import io.javisor.storage.scsi.CopyDomain;
import io.javisor.storage.scsi.DiskUnit;
import io.javisor.storage.scsi.RemotePort;
import io.javisor.storage.scsi.ScsiCommand;
import io.javisor.storage.scsi.ScsiResult;
import io.javisor.storage.storvsp.FibreChannelGuest.Answer;
import io.javisor.vmbus.guest.TestGuest;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The adapter behind a bus, with two target ports, driven as Linux's storvsc drives it. */
class FibreChannelAdapterTest {
    private static final Wwn NODE = Wwn.of("c003ff0000ffff00");
    private static final PortNames NAMES =
            new PortNames(NODE, Wwn.of("c003ff0000010000"), NODE, Wwn.of("c003ff0000010001"));

    private final TestGuest guest = new TestGuest(2, 16 << 20);
    private final Disk disk = DiskImage.memory("disk", 1 << 20, 512);
    private final Disk secret = DiskImage.memory("secret", 1 << 20, 512);
    private final SoftwareSan san = SoftwareSan.builder("san").ports("a", 2).build();
    private final SanVolume shown = san.add("disk", new DiskUnit(disk));
    private final SanVolume hidden = san.add("secret", new DiskUnit(secret));

    FibreChannelAdapterTest() {
        shown.presentTo(NAMES.portA(), 3);
        shown.presentTo(NAMES.portB(), 3);
        hidden.presentTo(Wwn.of("c003ff0000020000"), 0);
        byte[] data = new byte[1 << 20];
        Arrays.fill(data, (byte) 0x5A);
        secret.write(0, IoMemory.of(data), false);
    }

    @AfterEach
    void close() {
        guest.close();
        san.close();
        disk.close();
        secret.close();
    }

    private static FibreChannelAdapter adapter(WwnSet active) {
        return new FibreChannelAdapter(0, NAMES, active, Runnable::run, 1, new CopyDomain());
    }

    private FibreChannelGuest boot(FibreChannelAdapter adapter) {
        var driver = new FibreChannelGuest(guest, adapter);
        driver.boot();
        return driver;
    }

    private FibreChannelGuest connected() {
        FibreChannelAdapter adapter = adapter(WwnSet.A);
        adapter.connect(san, "");
        return boot(adapter);
    }

    private static void good(Answer answer) {
        assertThat(answer.srb()).as("%s", answer).isEqualTo(FibreChannelGuest.SUCCESS);
        assertThat(answer.scsi()).isZero();
    }

    private static void attention(Answer answer, int code) {
        assertThat(answer.key()).as("%s", answer).isEqualTo(6);
        assertThat(answer.code()).isEqualTo(code);
    }

    private static void settled(FibreChannelGuest driver, int target, int lun) {
        attention(driver.ready(target, lun), 0x2900);
        good(driver.ready(target, lun));
    }

    @Test
    void tellsItsNamesAndWhichAreActive() {
        FibreChannelGuest driver = connected();
        assertThat(driver.firstSetActive()).isTrue();
        assertThat(driver.name(0)).isEqualTo(NAMES.portA().value());
        assertThat(driver.name(1)).isEqualTo(NODE.value());
        assertThat(driver.name(2)).isEqualTo(NAMES.portB().value());
        assertThat(driver.name(3)).isEqualTo(NODE.value());
        assertThat(san.initiators()).containsExactly(NAMES.portA());
        assertThatThrownBy(() -> new FibreChannelAdapter(4, NAMES, WwnSet.A, Runnable::run, 0, new CopyDomain()))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void noAddressLeadsBeyondTheMask() {
        FibreChannelGuest driver = connected();
        int found = 0;
        for (int path : new int[] {0, 1, 7, 255}) {
            for (int target : new int[] {0, 1, 2, 127, 255}) {
                for (int lun = 0; lun < 256; lun++) {
                    Answer answer = driver.command(path, target, lun, "120000002400", 36);
                    good(answer);
                    boolean present = answer.data()[0] == 0;
                    assertThat(present)
                            .as("%d:%d:%d", path, target, lun)
                            .isEqualTo(path == 0 && target < 2 && lun == 3);
                    found += present ? 1 : 0;
                    if (!present) {
                        assertThat(driver.command(path, target, lun, "28000000000000000100", 512)
                                        .srb())
                                .isEqualTo(FibreChannelGuest.INVALID_LUN);
                    }
                }
            }
        }
        assertThat(found).isEqualTo(2);
    }

    @Test
    void noCommandNamesAUnitBeyondTheMask() {
        FibreChannelGuest driver = connected();
        settled(driver, 0, 3);
        // Old initiators put the LUN into the descriptor block.
        for (int lun = 0; lun < 8; lun++) {
            Answer answer = driver.command(0, 0, 3, String.format("28%02x0000000000000100", lun << 5), 512);
            assertThat(answer.data()).doesNotContain((byte) 0x5A);
        }
        for (String select : new String[] {"00", "01", "02"}) {
            Answer list = driver.command(0, 0, 3, "a000" + select + "000000000010000000", 4096);
            good(list);
            assertThat(list.data()).as("the list of %s", select).hasSize(select.equals("01") ? 8 : 16);
        }
        // EXTENDED COPY from the other's disk, by the name that it would have.
        byte[] name = hidden.unit()
                .identity()
                .toString()
                .replace("-", "")
                .getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        byte[] list = new byte[16 + 2 * 32 + 28];
        list[3] = 64;
        list[11] = 28;
        for (int i = 0; i < 2; i++) {
            int at = 16 + 32 * i;
            list[at] = (byte) 0xE4;
            list[at + 4] = 2;
            list[at + 5] = 1;
            list[at + 7] = 20;
            System.arraycopy(name, 0, list, at + 8, 20);
        }
        Answer copy = driver.command(
                0,
                0,
                3,
                java.util.HexFormat.of().parseHex("83000000000000000000" + "0000006c0000"),
                0,
                list.length,
                list);
        assertThat(copy.srb()).isEqualTo(FibreChannelGuest.ERROR);
        IoMemory all = IoMemory.allocate(disk.size());
        disk.read(0, all);
        assertThat(all.toByteArray()).doesNotContain((byte) 0x5A);
    }

    @Test
    void whatWaitsForNothingIsAnsweredWithoutWorkers() {
        var handedOn = new AtomicInteger();
        var adapter = new FibreChannelAdapter(
                0,
                NAMES,
                WwnSet.A,
                work -> {
                    handedOn.incrementAndGet();
                    work.run();
                },
                1,
                new CopyDomain());
        adapter.connect(san, "");
        FibreChannelGuest driver = boot(adapter);
        settled(driver, 0, 3);
        handedOn.set(0);
        good(driver.command(0, 0, 3, "28000000000000000100", 512));
        assertThat(handedOn).hasValue(0);
        shown.setAccess(1, AccessState.STANDBY);
        attention(driver.command(0, 0, 3, "28000000000000000100", 512), 0x2A06);
        Answer refused = driver.command(0, 0, 3, "28000000000000000100", 512);
        assertThat(refused.key())
                .as("a path that is not to be used is looked at by workers")
                .isEqualTo(2);
        san.ports().getFirst().fail();
        assertThat(driver.command(0, 0, 3, "28000000000000000100", 512).srb()).isEqualTo(FibreChannelGuest.ERROR);
        assertThat(handedOn).hasValue(3);
    }

    @Test
    void aConflictIsTheDevicesAnswerAndNoErrorOfTheWay() {
        FibreChannelGuest driver = connected();
        settled(driver, 0, 3);
        byte[] key = new byte[24];
        key[15] = 7;
        good(driver.command(0, 0, 3, cdb("5F000000000000001800"), 0, 24, key));
        try (FabricLogin other = san.login("", NODE, Wwn.of("c003ff0000030000"), new CopyDomain(), () -> {})) {
            shown.presentTo(Wwn.of("c003ff0000030000"), 9);
            RemotePort port = java.util.Objects.requireNonNull(other.at(0, 0));
            port.execute(9, ScsiCommand.of(cdb("000000000000")));
            byte[] reserve = new byte[24];
            reserve[15] = 8;
            assertThat(port.execute(9, ScsiCommand.writing(cdb("5F000000000000001800"), IoMemory.of(reserve)))
                            .status())
                    .isZero();
            byte[] mine = new byte[24];
            mine[7] = 8;
            assertThat(port.execute(9, ScsiCommand.writing(cdb("5F010300000000001800"), IoMemory.of(mine)))
                            .status())
                    .isZero();
            // Linux's driver takes an error without sense for the transport's.
            assertThat(driver.command(0, 0, 3, "28000000000000000100", 512))
                    .usingRecursiveComparison()
                    .isEqualTo(new Answer(
                            FibreChannelGuest.ERROR, ScsiResult.RESERVATION_CONFLICT, true, 0, 0, new byte[0]));
        }
    }

    private static byte[] cdb(String hex) {
        return java.util.HexFormat.of().parseHex(hex);
    }

    @Test
    void aBrokenPathAnswersWithAnErrorWithoutSenseAndTheGuestKeepsTheDisk() {
        FibreChannelGuest driver = connected();
        settled(driver, 0, 3);
        settled(driver, 1, 3);
        san.ports().getFirst().fail();
        Answer failed = driver.command(0, 0, 3, "28000000000000000100", 512);
        assertThat(failed)
                .usingRecursiveComparison()
                .isEqualTo(new Answer(FibreChannelGuest.ERROR, 0, false, 0, 0, new byte[0]));
        good(driver.command(0, 1, 3, "28000000000000000100", 512));
        Answer inquiry = driver.command(0, 0, 3, "120000002400", 36);
        assertThat(inquiry.srb()).isEqualTo(FibreChannelGuest.ERROR);
        assertThat(inquiry.data()[0]).as("Linux looks at the data all the same").isEqualTo((byte) 0x7F);
        san.ports().getFirst().restore();
        good(driver.command(0, 0, 3, "28000000000000000100", 512));
        assertThat(driver.toldToScan()).isFalse();
    }

    @Test
    void theGuestIsToldToLookForUnitsThatComeAndGo() {
        FibreChannelGuest driver = connected();
        settled(driver, 0, 3);
        hidden.presentTo(NAMES.portA(), 9);
        assertThat(driver.toldToScan()).isTrue();
        attention(driver.ready(0, 3), 0x3F0E);
        settled(driver, 1, 9);
        hidden.hideFrom(NAMES.portA());
        assertThat(driver.toldToScan()).isTrue();
        assertThat(driver.ready(0, 9).srb()).isEqualTo(FibreChannelGuest.INVALID_LUN);
        san.zone("z", Set.of(NAMES.portA(), san.ports().get(1).name()));
        assertThat(driver.toldToScan()).isTrue();
        assertThat(driver.ready(0, 3).srb()).isEqualTo(FibreChannelGuest.INVALID_LUN);
    }

    @Test
    void theOtherSetTakesOverWhileTheGuestRuns() {
        FibreChannelAdapter adapter = adapter(WwnSet.A);
        adapter.connect(san, "a");
        FibreChannelGuest driver = boot(adapter);
        settled(driver, 0, 3);
        adapter.activate(WwnSet.B);
        assertThat(san.initiators()).containsExactly(NAMES.portB());
        assertThat(adapter.active()).isEqualTo(WwnSet.B);
        assertThat(driver.toldToScan()).isTrue();
        settled(driver, 0, 3);
        // A name that somebody else has: nothing changes.
        var other = adapter(WwnSet.A);
        other.connect(san, "");
        assertThatThrownBy(() -> adapter.activate(WwnSet.A)).hasMessageContaining("logged in");
        assertThat(adapter.active()).isEqualTo(WwnSet.B);
        good(driver.ready(0, 3));
        other.disconnect();
        driver.channel().close();
        driver.open();
        assertThat(driver.firstSetActive()).isFalse();
    }

    @Test
    void withoutASanThereIsNothingAndLaterThereIs() {
        FibreChannelAdapter adapter = adapter(WwnSet.A);
        FibreChannelGuest driver = boot(adapter);
        good(driver.command(0, 0, 3, "120000002400", 36));
        assertThat(driver.ready(0, 3).srb()).isEqualTo(FibreChannelGuest.INVALID_LUN);
        adapter.connect(san, "");
        assertThat(adapter.san()).contains(san);
        assertThat(driver.toldToScan()).isTrue();
        settled(driver, 0, 3);
        adapter.disconnect();
        assertThat(driver.ready(0, 3).srb()).as("pulled out, not gone").isEqualTo(FibreChannelGuest.ERROR);
        assertThat(driver.ready(2, 3).srb()).isEqualTo(FibreChannelGuest.INVALID_LUN);
        adapter.connect(san, "");
        good(driver.ready(0, 3));
        assertThatThrownBy(() -> adapter.connect(san, "nowhere")).isInstanceOf(HypervisorException.class);
        assertThat(adapter.san()).isEmpty();
    }

    private static StateReader save(FibreChannelAdapter adapter) {
        var out = new StateWriter();
        adapter.save(out);
        return new StateReader(adapter.stateName(), adapter.stateVersion(), out.toByteArray());
    }

    @Test
    void isSavedWithWhatTheGuestHasNotHeardYet() {
        FibreChannelAdapter adapter = adapter(WwnSet.A);
        adapter.connect(san, "");
        FibreChannelGuest driver = boot(adapter);
        settled(driver, 0, 3);
        settled(driver, 1, 3);
        shown.setAccess(2, AccessState.NON_OPTIMIZED);
        StateReader saved = save(adapter);
        adapter.disconnect();

        // Connected before it is restored, or after.
        for (boolean early : new boolean[] {true, false}) {
            FibreChannelAdapter next = adapter(WwnSet.A);
            if (early) {
                next.connect(san, "");
            }
            next.restore(saved);
            next.awaitRestored();
            try (var elsewhere = new TestGuest(1, 4 << 20)) {
                var again = new FibreChannelGuest(elsewhere, next);
                again.boot();
                if (!early) {
                    assertThat(again.ready(1, 3).srb()).isEqualTo(FibreChannelGuest.ERROR);
                    next.connect(san, "");
                }
                attention(again.ready(1, 3), 0x2A06);
                good(again.ready(1, 3));
            }
            next.disconnect();
        }
        assertThatThrownBy(() -> adapter(WwnSet.B).restore(saved)).isInstanceOf(StateException.class);
        shown.hide();
        FibreChannelAdapter wrong = adapter(WwnSet.A);
        wrong.restore(saved);
        assertThatThrownBy(() -> wrong.connect(san, ""))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("absent");
        assertThat(san.initiators()).isEmpty();
    }
}
