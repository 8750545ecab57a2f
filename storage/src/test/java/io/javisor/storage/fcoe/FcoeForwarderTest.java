package io.javisor.storage.fcoe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.fibrechannel.Zoning;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;

/** The fabric's protocols: frames in, frames out, no socket and no clock. */
class FcoeForwarderTest {
    private static final int PERIOD = 8000;
    private static final long[] MACS = {0x0200_0000_00A0L, 0x0200_0000_00A1L};
    private static final Wwn NODE = Wwn.of("1000020000000001");
    private static final Wwn ONE = Wwn.of("2000020000000001");
    private static final Wwn GUEST = Wwn.of("c003ff0000010000");
    private static final Wwn TARGET = Wwn.of("2000020000000002");
    private static final Wwn OTHER_TARGET = Wwn.of("2000020000000003");

    private final Zoning zoning = new Zoning();
    private final List<List<Host>> links = List.of(new ArrayList<>(), new ArrayList<>());
    private final FcoeForwarder fabric = new FcoeForwarder(
            (link, frame) -> {
                byte[] copy = new byte[frame.limit()];
                frame.get(0, copy);
                links.get(link).forEach(host -> host.got.add(ByteBuffer.wrap(copy)));
            },
            MACS,
            Wwn.of("3000020000000001"),
            PERIOD,
            zoning);
    private final Host host = host(0, 0x0200_0000_0001L);
    private final Host array = host(1, 0x0200_0000_0002L);

    private Host host(int link, long mac) {
        var made = new Host(fabric, link, mac);
        links.get(link).add(made);
        fabric.link(link, true);
        return made;
    }

    private Host.Login login(Host at, Wwn port) {
        return at.login(FipFrame.FLOGI, port, NODE, 0);
    }

    @Test
    void advertisesItselfAndAnswersAsLongAsTheLongestFrame() {
        host.got.clear();
        fabric.tick(PERIOD);
        ByteBuffer frame = host.got.element();
        assertThat(Mac.get(frame, 0)).isEqualTo(Mac.ALL_ENODES);
        FipFrame advertisement = host.nextFip();
        assertThat(advertisement.operation()).isEqualTo(FipFrame.DISCOVERY);
        assertThat(advertisement.mac()).isEqualTo(MACS[0]);
        assertThat(advertisement.find(FipFrame.NAME, 10).orElseThrow().getLong(2))
                .isEqualTo(0x3000020000000001L);
        assertThat(advertisement.find(FipFrame.FABRIC, 14).orElseThrow().getInt(2))
                .isEqualTo(0x0EFC00);
        assertThat(advertisement.find(FipFrame.PERIOD, 6).orElseThrow().getInt(2))
                .isEqualTo(PERIOD);

        var solicitation = new FipFrame.Writer(FipFrame.DISCOVERY, FipFrame.ASKS, FipFrame.FABRIC_GIVES_MACS)
                .mac(host.mac)
                .add(FipFrame.SIZE, new byte[] {(byte) (2158 >> 8), (byte) 2158});
        host.send(solicitation.frame(Mac.ALL_ENODES, host.mac, 0), 0);
        ByteBuffer answer = host.got.element();
        assertThat(answer.limit()).isEqualTo(14 + 2158);
        assertThat(Mac.get(answer, 0)).isEqualTo(host.mac);
        assertThat(answer.getShort(22) & FipFrame.SOLICITED).isNotZero();
        assertThat(fabric.dropped()).isZero();
    }

    @Test
    void aHostLogsInWithFurtherNamesAndOut() {
        ByteBuffer frame = host.loginFrame(FipFrame.FLOGI, ONE, NODE);
        host.got.clear();
        host.send(frame, 0);
        ByteBuffer accept = host.nextFip().find(FipFrame.FLOGI, 142).orElseThrow();
        assertThat(accept.get(26)).isEqualTo((byte) LinkService.ACCEPT);
        assertThat(accept.getShort(26 + 8) & 0x3000).as("F_Port, NPIV").isEqualTo(0x3000);

        Host.Login guest = host.login(FipFrame.FDISC, GUEST, NODE, 0);
        assertThat(guest.mac()).isEqualTo(0x0EFC00000000L | guest.id());
        assertThat(fabric.ports())
                .extracting(FabricPort::portName, FabricPort::virtual)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(ONE, false),
                        org.assertj.core.groups.Tuple.tuple(GUEST, true));
        host.logout(guest, 0);
        assertThat(fabric.ports()).extracting(FabricPort::portName).containsExactly(ONE);
        host.login(FipFrame.FDISC, GUEST, NODE, 0);
        login(host, ONE);
        assertThat(fabric.ports())
                .as("a host that starts anew has lost its further names")
                .extracting(FabricPort::portName)
                .containsExactly(ONE);
    }

    @Test
    void aNameIsRefusedToOthersUntilItIsFree() {
        login(host, ONE);
        login(array, TARGET);
        Host.Login guest = host.login(FipFrame.FDISC, GUEST, NODE, 0);
        ByteBuffer refusal = array.answer(FipFrame.FDISC, GUEST, NODE, 0);
        assertThat(refusal.get(0)).isEqualTo((byte) LinkService.REJECT);
        host.login(FipFrame.FDISC, GUEST, NODE, 0); // its own host may log it in again
        host.logout(guest, 0);
        array.login(FipFrame.FDISC, GUEST, NODE, 0);
        assertThat(fabric.ports())
                .filteredOn(p -> p.portName().equals(GUEST))
                .singleElement()
                .satisfies(p -> assertThat(p.link()).isEqualTo(1));
    }

    @Test
    void furtherNamesNeedAHostThatIsLoggedIn() {
        assertThat(host.answer(FipFrame.FDISC, GUEST, NODE, 0).get(0)).isEqualTo((byte) LinkService.REJECT);
        assertThat(fabric.ports()).isEmpty();
    }

    @Test
    void whoIsNotHeardOfIsLoggedOutAndToldSo() {
        login(host, ONE);
        login(array, TARGET);
        host.login(FipFrame.FDISC, GUEST, NODE, 0);
        host.keepAlive(15_000);
        fabric.tick(25_000);
        assertThat(fabric.ports()).extracting(FabricPort::portName).containsExactly(ONE, GUEST);
        FipFrame cleared = null;
        for (ByteBuffer frame; (frame = array.next(FipFrame.ETHER_TYPE)) != null; ) {
            FipFrame message = FipFrame.of(frame);
            if (message != null && message.operation() == FipFrame.CONTROL) {
                cleared = message;
            }
        }
        ByteBuffer port =
                Objects.requireNonNull(cleared).find(FipFrame.VX_PORT, 18).orElseThrow();
        assertThat(port.getLong(10)).isEqualTo(TARGET.value());
        fabric.link(0, false);
        assertThat(fabric.ports()).isEmpty();
    }

    @Test
    void portsFindEachOtherAndHearOfChanges() {
        Host.Login one = login(host, ONE);
        host.register(one, false);
        Host.Login target = login(array, TARGET);
        host.got.clear();
        array.register(target, true);
        FcFrame change = host.nextFc();
        assertThat(change.control()).isEqualTo(FcFrame.ELS_REQUEST);
        assertThat(change.source()).isEqualTo(0xFFFFFD);
        assertThat(change.payload().get(0)).isEqualTo((byte) LinkService.STATE_CHANGE);
        assertThat(change.payload().getInt(4)).isEqualTo(target.id());

        ByteBuffer list = host.ask(one, 0x172, new byte[] {0, 0, 0, 8});
        assertThat(list.getShort(8) & 0xFFFF).isEqualTo(0x8002);
        assertThat(list.limit()).isEqualTo(16 + 2 * 16);
        assertThat(list.getInt(16)).isEqualTo(one.id());
        assertThat(list.getInt(32)).as("the last one").isEqualTo(0x80000000 | target.id());
        assertThat(list.getLong(40)).isEqualTo(TARGET.value());
        byte[] id = ByteBuffer.allocate(4).putInt(target.id()).array();
        assertThat(host.ask(one, 0x112, id).getLong(16)).isEqualTo(TARGET.value());
        assertThat(host.ask(one, 0x113, id).getLong(16)).isEqualTo(NODE.value());
        assertThat(host.ask(one, 0x11F, id).getInt(16 + 4)).as("an FCP target").isEqualTo(1);
        byte[] name = ByteBuffer.allocate(8).putLong(TARGET.value()).array();
        assertThat(host.ask(one, 0x121, name).getInt(16)).isEqualTo(target.id());
        assertThat(host.ask(one, 0x171, new byte[] {0, 0, 0, 5}).getShort(8) & 0xFFFF)
                .as("nobody speaks IP")
                .isEqualTo(0x8001);

        host.got.clear();
        array.logout(target, 0);
        assertThat(host.nextFc().payload().getInt(4)).isEqualTo(target.id());
    }

    @Test
    void servicesOfTheFabric() {
        Host.Login one = login(host, ONE);
        byte[] accept = host.els(one, 0xFFFFFC, LinkService.PLOGI);
        assertThat(accept).hasSize(116).startsWith(LinkService.ACCEPT, 0, 0, 0);
        assertThat(host.els(one, 0xFFFFFD, LinkService.RTV)).startsWith(2, 0, 0, 0, 0, 0, 0x27, 0x10);
        assertThat(host.els(one, 0xFFFFFA, LinkService.PLOGI)[0]).isEqualTo((byte) LinkService.REJECT);
        assertThat(host.els(one, 0xFFFFFD, 0x78)[0]).isEqualTo((byte) LinkService.REJECT);
    }

    @Test
    void framesGoWhereTheyShallWithTheirContentUntouched() {
        Host.Login one = login(host, ONE);
        Host.Login target = login(array, TARGET);
        array.got.clear();
        host.fc(one, target.id(), 0x06, 0x08, "a command of FCP".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        FcFrame arrived = array.nextFc();
        ByteBuffer bytes = arrived.bytes();
        assertThat(Mac.get(bytes, 0)).isEqualTo(target.mac());
        assertThat(Mac.get(bytes, 6)).isEqualTo(MACS[1]);
        assertThat(arrived.source()).isEqualTo(one.id());
        byte[] payload = new byte[16];
        arrived.payload().get(payload);
        assertThat(payload).asString(java.nio.charset.StandardCharsets.US_ASCII).isEqualTo("a command of FCP");
        var crc = new CRC32();
        crc.update(bytes.slice(28, bytes.limit() - 36));
        assertThat(Integer.reverseBytes(bytes.getInt(bytes.limit() - 8))).isEqualTo((int) crc.getValue());
        assertThat(fabric.forwarded()).isEqualTo(1);
    }

    @Test
    void zonesHidePortsAndStopTheirFrames() {
        Host.Login one = login(host, ONE);
        Host.Login guest = host.login(FipFrame.FDISC, GUEST, NODE, 0);
        Host.Login target = login(array, TARGET);
        host.register(one, false);
        host.register(guest, false);
        array.register(target, true);
        zoning.setOpen(false);
        zoning.set("guest", Set.of(GUEST, TARGET));
        host.got.clear();
        fabric.rezoned();
        assertThat(host.got).as("they are told to look again").isNotEmpty();
        host.got.clear();
        array.got.clear();
        byte[] id = ByteBuffer.allocate(4).putInt(target.id()).array();
        assertThat(host.ask(one, 0x112, id).getShort(8) & 0xFFFF).isEqualTo(0x8001);
        assertThat(host.ask(one, 0x172, new byte[] {0, 0, 0, 8}).getShort(8) & 0xFFFF)
                .isEqualTo(0x8001);
        assertThat(host.ask(guest, 0x112, id).getShort(8) & 0xFFFF).isEqualTo(0x8002);
        host.fc(one, target.id(), 0x06, 0x08, new byte[32]);
        assertThat(array.next(FcFrame.ETHER_TYPE)).isNull();
        host.fc(guest, target.id(), 0x06, 0x08, new byte[32]);
        assertThat(array.next(FcFrame.ETHER_TYPE)).isNotNull();
    }

    @Test
    void nobodySpeaksForOthers() {
        Host.Login one = login(host, ONE);
        Host.Login target = login(array, TARGET);
        Host.Login other = host(1, 0x0200_0000_0003L).login(FipFrame.FLOGI, OTHER_TARGET, NODE, 0);
        long before = fabric.dropped();
        array.got.clear();
        host.fc(new Host.Login(other.id(), one.mac()), target.id(), 0x06, 0x08, new byte[8]); // another's ID
        host.fc(other, target.id(), 0x06, 0x08, new byte[8]); // from another link
        host.fc(new Host.Login(one.id(), host.mac), target.id(), 0x06, 0x08, new byte[8]); // not by the address given
        host.fc(one, 0x010909, 0x06, 0x08, new byte[8]); // to nobody
        assertThat(array.next(FcFrame.ETHER_TYPE)).isNull();
        assertThat(fabric.dropped()).isEqualTo(before + 4);
        ByteBuffer types = ByteBuffer.allocate(36).putInt(0, target.id()).put(6, (byte) 1);
        assertThat(host.ask(one, 0x217, types.array()).getShort(8) & 0xFFFF).isEqualTo(0x8001);
        host.logout(target, 0);
        host.logout(new Host.Login(0x7F7F7F, 0), 0);
        assertThat(fabric.ports()).hasSize(3);
    }

    @Test
    void tablesHaveAnEnd() {
        login(host, ONE);
        int refused = 0;
        for (int i = 0; i < 300; i++) {
            Wwn name = new Wwn(GUEST.value() + i);
            refused += host.answer(FipFrame.FDISC, name, NODE, 0).get(0) == LinkService.REJECT ? 1 : 0;
        }
        assertThat(fabric.ports()).hasSize(256);
        assertThat(refused).isEqualTo(300 - 255);
        ByteBuffer badName = host.loginFrame(FipFrame.FDISC, ONE, NODE);
        badName.putLong(24 + 4 + 24 + LinkService.PORT_NAME, 0);
        host.got.clear();
        host.send(badName, 0);
        assertThat(host.nextFip().find(FipFrame.FDISC, 30).orElseThrow().get(26))
                .isEqualTo((byte) LinkService.REJECT);
        assertThatThrownBy(() -> new FcoeForwarder((l, f) -> {}, new long[0], NODE, PERIOD, zoning))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void brokenFramesAreDropped() {
        Host.Login one = login(host, ONE);
        Host.Login target = login(array, TARGET);
        var random = new Random(1);
        List<ByteBuffer> good = List.of(
                host.loginFrame(FipFrame.FDISC, GUEST, NODE),
                new FipFrame.Writer(FipFrame.DISCOVERY, FipFrame.ASKS, 0).mac(1).frame(0, host.mac, 0),
                FcFrame.of(
                        MACS[0],
                        one.mac(),
                        FcFrame.header(2, 0xFFFFFC, one.id(), FcFrame.TYPE_CT, FcFrame.REQUEST, 1, 0xFFFF),
                        HexFormat.of().parseHex("01000000FC0200000172000000000000" + "00000008")),
                FcFrame.of(
                        MACS[0],
                        one.mac(),
                        FcFrame.header(0x22, 0xFFFFFD, one.id(), FcFrame.TYPE_ELS, FcFrame.REQUEST, 1, 0xFFFF),
                        new byte[] {0x62, 0, 0, 0, 0, 0, 0, 3}),
                FcFrame.of(
                        MACS[0],
                        one.mac(),
                        FcFrame.header(6, target.id(), one.id(), 8, FcFrame.REQUEST, 1, 0xFFFF),
                        new byte[32]));
        for (int round = 0; round < 20_000; round++) {
            ByteBuffer original = good.get(round % good.size());
            byte[] bytes = new byte[random.nextInt(original.limit() + 40)];
            original.get(0, bytes, 0, Math.min(bytes.length, original.limit()));
            for (int i = random.nextInt(4); i > 0 && bytes.length > 14; i--) {
                bytes[14 + random.nextInt(bytes.length - 14)] = (byte) random.nextInt();
            }
            host.send(ByteBuffer.wrap(bytes), 0);
            host.got.clear();
            array.got.clear();
        }
        assertThat(fabric.ports().size()).isBetween(1, 257);
        assertThat(fabric.dropped()).isPositive();
        host.send(ByteBuffer.allocate(3), 0);
    }
}
