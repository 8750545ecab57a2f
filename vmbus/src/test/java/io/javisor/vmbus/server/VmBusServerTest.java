package io.javisor.vmbus.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.partition.GuestMemory;
import io.javisor.vmbus.channel.ChannelOffer;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.GuestMessage;
import io.javisor.vmbus.protocol.HostMessage;
import io.javisor.vmbus.protocol.Octets;
import io.javisor.vmbus.protocol.VmBusVersion;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class VmBusServerTest {
    private final TestGuest memoryOwner = new TestGuest(1, 4 << 20);
    private final GuestMemory memory = memoryOwner.memory();
    private final List<Action> actions = new ArrayList<>();
    private final VmBusServer server = new VmBusServer(memory, 2, actions::add);
    private static final long PAGE = TestGuest.MEMORY / 4096;

    @AfterEach
    void close() {
        memoryOwner.close();
    }

    private static ChannelOffer device(int number) {
        return ChannelOffer.of(new UUID(1, 1), new UUID(2, number));
    }

    private List<HostMessage> sent() {
        return actions.stream()
                .filter(a -> a instanceof Action.Send)
                .map(a -> ((Action.Send) a).message())
                .toList();
    }

    private List<HostMessage> say(GuestMessage... messages) {
        actions.clear();
        for (GuestMessage message : messages) {
            server.receive(message);
        }
        return sent();
    }

    private void connect() {
        assertThat(say(new GuestMessage.InitiateContact(VmBusVersion.V5_3.code(), 1, 2, 0, 0)))
                .containsExactly(new HostMessage.VersionResponse(true, 4));
        say(new GuestMessage.RequestOffers());
    }

    private GuestMessage.GpadlHeader gpadl(int relId, int id, int pages) {
        List<Long> words = new ArrayList<>();
        words.add(pages * 4096L);
        LongStream.range(0, pages).forEach(i -> words.add(PAGE + i));
        return new GuestMessage.GpadlHeader(relId, id, 8 * (pages + 1), 1, words);
    }

    private GuestMessage.OpenChannel openOf(int relId, int gpadl) {
        return new GuestMessage.OpenChannel(relId, 7, gpadl, 0, 2, Octets.EMPTY.resized(120));
    }

    private void openChannel(int relId, int gpadl) {
        say(gpadl(relId, gpadl, 4), openOf(relId, gpadl));
        assertThat(actions).last().isInstanceOf(Action.Open.class);
        actions.clear();
        server.opened(relId, 0);
        assertThat(sent()).containsExactly(new HostMessage.OpenResult(relId, 7, 0));
    }

    @Test
    void versionsAreWalkedDownUntilOneIsSpoken() {
        assertThat(say(new GuestMessage.InitiateContact(0x60000, 0, 2, 0, 0)))
                .containsExactly(new HostMessage.VersionResponse(false, 0x60000));
        assertThat(server.version()).isNull();
        assertThat(say(new GuestMessage.InitiateContact(VmBusVersion.V4_0.code(), 0, 0xABC000, 0, 0)))
                .containsExactly(new HostMessage.VersionResponse(true, VmBusVersion.V4_0.code()));
        assertThat(server.version()).isEqualTo(VmBusVersion.V4_0);
    }

    @Test
    void anotherSintThanTheBusSpeaksIsRefused() {
        assertThat(say(new GuestMessage.InitiateContact(VmBusVersion.V5_3.code(), 0, 5, 0, 0)))
                .containsExactly(new HostMessage.VersionResponse(false, 4));
    }

    @Test
    void offersComeOnRequestInAStableOrderAndLaterOnesAtOnce() {
        int first = server.offer(device(1), 0, false);
        int second = server.offer(device(2), 0, false);
        assertThat(actions).isEmpty();
        say(new GuestMessage.InitiateContact(VmBusVersion.V5_3.code(), 0, 2, 0, 0));
        List<HostMessage> offers = say(new GuestMessage.RequestOffers());
        assertThat(offers).hasSize(3).last().isInstanceOf(HostMessage.AllOffersDelivered.class);
        assertThat(((HostMessage.OfferChannel) offers.get(0)).relId()).isEqualTo(first);
        assertThat(((HostMessage.OfferChannel) offers.get(1)).relId()).isEqualTo(second);
        actions.clear();
        server.offer(device(3), 0, false);
        assertThat(sent()).singleElement().isInstanceOf(HostMessage.OfferChannel.class);
        assertThat(say(new GuestMessage.RequestOffers())).as("asked twice").hasSize(1);
        connect();
        assertThat(actions.stream()
                        .filter(a -> a instanceof Action.Send)
                        .limit(2)
                        .map(a -> ((HostMessage.OfferChannel) ((Action.Send) a).message()).relId()))
                .containsExactly(first, second);
    }

    @Test
    void openNeedsARingThatFits() {
        int relId = server.offer(device(1), 0, false);
        connect();
        HostMessage refused = new HostMessage.OpenResult(relId, 7, HostMessage.INVALID_PARAMETER);
        assertThat(say(openOf(relId, 99))).as("unknown GPADL").containsExactly(refused);
        say(gpadl(relId, 1, 3));
        assertThat(say(openOf(relId, 1))).as("second ring of one page").containsExactly(refused);
        say(gpadl(relId, 2, 4));
        for (int page : new int[] {0, 1, 3, 4, -1, Integer.MAX_VALUE}) {
            assertThat(say(new GuestMessage.OpenChannel(relId, 7, 2, 0, page, Octets.EMPTY)))
                    .as("split at " + page)
                    .containsExactly(refused);
        }
        assertThat(say(new GuestMessage.OpenChannel(relId, 7, 2, 2, 2, Octets.EMPTY)))
                .as("no such vCPU")
                .containsExactly(refused);
        assertThat(say(new GuestMessage.OpenChannel(relId, 7, 2, -1, 2, Octets.EMPTY)))
                .containsExactly(refused);
        assertThat(say(openOf(relId + 1, 2))).as("no such channel").hasSize(1);
        assertThat(say(openOf(relId, 2))).isEmpty();
        assertThat(say(openOf(relId, 2))).as("opening already").containsExactly(refused);
        server.opened(relId, 0);
        assertThat(say(openOf(relId, 2))).as("open already").containsExactly(refused);
    }

    @Test
    void theRingIsGivenBackOnlyWhenTheHostIsDone() {
        int relId = server.offer(device(1), 0, false);
        connect();
        openChannel(relId, 5);
        assertThat(say(new GuestMessage.CloseChannel(relId), new GuestMessage.GpadlTeardown(relId, 5)))
                .isEmpty();
        assertThat(actions).containsExactly(new Action.Close(relId));
        assertThat(say(new GuestMessage.GpadlTeardown(relId, 5)))
                .as("asked again")
                .isEmpty();
        server.closed(relId);
        assertThat(sent()).containsExactly(new HostMessage.GpadlTorndown(5));
        openChannel(relId, 5);
    }

    @Test
    void aGpadlOfAnOpenChannelIsTakenFromItsDeviceFirst() {
        int relId = server.offer(device(1), 0, false);
        connect();
        openChannel(relId, 5);
        say(gpadl(relId, 6, 10));
        assertThat(say(new GuestMessage.GpadlTeardown(relId, 6))).isEmpty();
        assertThat(actions).containsExactly(new Action.ReleaseGpadl(relId, 6));
        server.gpadlReleased(relId, 6);
        assertThat(sent()).containsExactly(new HostMessage.GpadlTorndown(6));
        server.gpadlReleased(relId, 6);
        assertThat(sent()).hasSize(1);
    }

    @Test
    void aGpadlComesInPiecesOfSeveralAtOnce() {
        int relId = server.offer(device(1), 0, false);
        connect();
        var whole = gpadl(relId, 8, 60);
        var other = gpadl(relId, 9, 3);
        assertThat(say(
                        new GuestMessage.GpadlHeader(
                                relId, 8, 8 * 61, 1, whole.words().subList(0, 26)),
                        new GuestMessage.GpadlHeader(
                                relId, 9, 8 * 4, 1, other.words().subList(0, 1)),
                        new GuestMessage.GpadlBody(0, 8, whole.words().subList(26, 54)),
                        new GuestMessage.GpadlBody(0, 9, other.words().subList(1, 4)),
                        new GuestMessage.GpadlBody(1, 8, whole.words().subList(54, 61))))
                .containsExactly(new HostMessage.GpadlCreated(relId, 9, 0), new HostMessage.GpadlCreated(relId, 8, 0));
        Gpadl gpadl = ((Action.AddGpadl) actions.get(2)).gpadl();
        assertThat(gpadl.buffer().length()).isEqualTo(60 * 4096);
        assertThat(gpadl.buffer().count())
                .as("contiguous pages are one segment")
                .isEqualTo(1);
    }

    @Test
    void aGpadlHasSeveralRanges() {
        int relId = server.offer(device(1), 0, false);
        connect();
        List<Long> words = List.of(100L | 4090L << 32, PAGE, PAGE + 1, 4096L, PAGE + 7);
        assertThat(say(new GuestMessage.GpadlHeader(relId, 8, 40, 2, words)))
                .containsExactly(new HostMessage.GpadlCreated(relId, 8, 0));
        Gpadl gpadl = ((Action.AddGpadl) actions.get(0)).gpadl();
        assertThat(gpadl.ranges()).hasSize(2);
        assertThat(gpadl.buffer().length()).isEqualTo(4196);
        assertThat(gpadl.isRing()).isFalse();
    }

    @Test
    void nonsenseGpadlsAreRefusedAndLeaveNothingBehind() {
        int relId = server.offer(device(1), 0, false);
        connect();
        List<Long> page = List.of(4096L, PAGE);
        List<GuestMessage.GpadlHeader> bad = List.of(
                new GuestMessage.GpadlHeader(relId, 8, 16, 0, page),
                new GuestMessage.GpadlHeader(relId, 8, 16, 2, page),
                new GuestMessage.GpadlHeader(relId, 8, 8, 1, page),
                new GuestMessage.GpadlHeader(relId, 8, 0, 1, page),
                new GuestMessage.GpadlHeader(relId, 8, 0, 0, List.of()),
                new GuestMessage.GpadlHeader(relId, 8, 16, 1, List.of(0L, PAGE)),
                new GuestMessage.GpadlHeader(relId, 8, 16, 1, List.of(4097L, PAGE)),
                new GuestMessage.GpadlHeader(relId, 8, 16, 1, List.of(1L | 4096L << 32, PAGE)),
                new GuestMessage.GpadlHeader(relId, 8, 16, 1, List.of(1L | -1L << 32, PAGE)),
                new GuestMessage.GpadlHeader(relId, 8, 16, 1, List.of(0xFFFF_FFFFL, PAGE)),
                new GuestMessage.GpadlHeader(relId, 8, 16, 1, List.of(4096L, 0L)),
                new GuestMessage.GpadlHeader(relId, 8, 16, 1, List.of(4096L, -1L)),
                new GuestMessage.GpadlHeader(relId, 8, 16, 1, List.of(4096L, 1L << 52)),
                new GuestMessage.GpadlHeader(relId + 1, 8, 16, 1, page));
        for (GuestMessage.GpadlHeader header : bad) {
            assertThat(say(header))
                    .as(header.toString())
                    .containsExactly(new HostMessage.GpadlCreated(header.relId(), 8, HostMessage.INVALID_PARAMETER));
        }
        assertThat(say(new GuestMessage.GpadlHeader(relId, 8, 16, 1, page)))
                .containsExactly(new HostMessage.GpadlCreated(relId, 8, 0));
        assertThat(say(new GuestMessage.GpadlHeader(relId, 8, 16, 1, page)))
                .as("handle in use")
                .containsExactly(new HostMessage.GpadlCreated(relId, 8, HostMessage.INVALID_PARAMETER));
        assertThat(say(new GuestMessage.GpadlBody(0, 77, page)))
                .as("no such handle")
                .isEmpty();
        assertThat(say(new GuestMessage.GpadlTeardown(relId, 99)))
                .as("unknown, but answered")
                .containsExactly(new HostMessage.GpadlTorndown(99));
    }

    @Test
    void whatAGuestMayLendIsBounded() {
        int relId = server.offer(device(1), 0, false);
        connect();
        int accepted = 0;
        HostMessage last = new HostMessage.UnloadResponse();
        for (int id = 0; id < 2 * GpadlTable.MAX_INCOMPLETE; id++) {
            List<HostMessage> said = say(new GuestMessage.GpadlHeader(relId, id, 0xFFF8, 1, List.of()));
            if (said.isEmpty()) {
                accepted++;
            } else {
                last = said.getFirst();
            }
        }
        assertThat(accepted).isEqualTo(Math.min(GpadlTable.MAX_INCOMPLETE, GpadlTable.MAX_WORDS / 8_191));
        assertThat(last)
                .isEqualTo(new HostMessage.GpadlCreated(
                        relId, 2 * GpadlTable.MAX_INCOMPLETE - 1, HostMessage.INSUFFICIENT_RESOURCES));
        assertThat(say(new GuestMessage.GpadlTeardown(relId, 0))).containsExactly(new HostMessage.GpadlTorndown(0));
        assertThat(say(new GuestMessage.GpadlHeader(relId, 5_000, 0xFFF8, 1, List.of())))
                .as("what was given back is there again")
                .isEmpty();
    }

    @Test
    void aNewContactEndsTheOldConnectionFirst() {
        int relId = server.offer(device(1), 0, false);
        connect();
        int brief = server.offer(device(2), 0, true);
        openChannel(relId, 5);
        assertThat(say(
                        new GuestMessage.InitiateContact(VmBusVersion.V5_0.code(), 0, 2, 0, 0),
                        new GuestMessage.RequestOffers(),
                        gpadl(relId, 6, 4)))
                .as("nothing is answered before the channel is closed")
                .isEmpty();
        assertThat(actions).containsExactly(new Action.Reset(0), new Action.Close(relId));
        server.closed(relId);
        assertThat(actions)
                .containsSubsequence(
                        new Action.Withdrawn(brief),
                        new Action.Disconnected(),
                        new Action.Connected(VmBusVersion.V5_0),
                        new Action.Send(new HostMessage.VersionResponse(true, 4)));
        assertThat(say(openOf(relId, 5))).as("not offered in this connection").hasSize(1);
        List<HostMessage> offers = say(new GuestMessage.RequestOffers());
        assertThat(offers).hasSize(2);
        openChannel(relId, 5);
    }

    @Test
    void unloadIsAlwaysAnswered() {
        assertThat(say(new GuestMessage.Unload())).containsExactly(new HostMessage.UnloadResponse());
        int relId = server.offer(device(1), 0, false);
        connect();
        say(gpadl(relId, 5, 4), openOf(relId, 5), new GuestMessage.Unload());
        assertThat(sent()).doesNotContain(new HostMessage.UnloadResponse());
        server.opened(relId, 0);
        assertThat(actions).last().isEqualTo(new Action.Close(relId));
        server.closed(relId);
        assertThat(actions).last().isEqualTo(new Action.Send(new HostMessage.UnloadResponse()));
        assertThat(say(new GuestMessage.Unload())).containsExactly(new HostMessage.UnloadResponse());
    }

    @Test
    void aRescindedChannelKeepsItsIdUntilTheGuestLetsGo() {
        int relId = server.offer(device(1), 0, false);
        connect();
        openChannel(relId, 5);
        actions.clear();
        server.rescind(relId);
        server.rescind(relId);
        assertThat(actions)
                .containsExactly(new Action.Send(new HostMessage.RescindOffer(relId)), new Action.Close(relId));
        server.closed(relId);
        assertThat(server.offer(device(2), 0, false)).isNotEqualTo(relId);
        assertThat(say(new GuestMessage.CloseChannel(relId), new GuestMessage.GpadlTeardown(relId, 5)))
                .containsExactly(new HostMessage.GpadlTorndown(5));
        say(new GuestMessage.RelIdReleased(relId));
        assertThat(actions).containsExactly(new Action.Withdrawn(relId));
        assertThat(server.offer(device(3), 0, false)).isEqualTo(relId);
        assertThat(say(new GuestMessage.RelIdReleased(relId))).isEmpty();
        assertThat(actions).as("not rescinded, so not released").isEmpty();
    }

    @Test
    void aGuestMayLetGoBeforeTheDeviceDoes() {
        int relId = server.offer(device(1), 0, false);
        connect();
        openChannel(relId, 5);
        server.rescind(relId);
        say(new GuestMessage.RelIdReleased(relId));
        assertThat(actions).isEmpty();
        server.closed(relId);
        assertThat(actions).containsExactly(new Action.Withdrawn(relId));
    }

    @Test
    void subChannelsGoWithTheirPrimary() {
        int relId = server.offer(device(1), 0, false);
        connect();
        openChannel(relId, 5);
        int sub = server.offer(device(1), 1, true);
        int stranger = server.offer(device(2), 0, false);
        openChannel(sub, 6);
        say(new GuestMessage.CloseChannel(relId));
        server.closed(relId);
        assertThat(sent()).containsExactly(new HostMessage.RescindOffer(sub));
        assertThat(actions).contains(new Action.Close(sub)).doesNotContain(new Action.Close(stranger));
        server.closed(sub);
        say(new GuestMessage.RelIdReleased(sub));
        assertThat(actions).containsExactly(new Action.Withdrawn(sub));
    }

    @Test
    void modifyChannelMovesTheInterruptAndIsAnsweredFrom5_3() {
        int relId = server.offer(device(1), 0, false);
        connect();
        openChannel(relId, 5);
        assertThat(say(new GuestMessage.ModifyChannel(relId, 1)))
                .containsExactly(new HostMessage.ModifyChannelResponse(relId, 0));
        assertThat(actions).contains(new Action.Retarget(relId, 1));
        assertThat(say(new GuestMessage.ModifyChannel(relId, 2)))
                .containsExactly(new HostMessage.ModifyChannelResponse(relId, HostMessage.INVALID_PARAMETER));
        say(new GuestMessage.InitiateContact(VmBusVersion.V5_2.code(), 0, 2, 0, 0));
        server.closed(relId);
        say(new GuestMessage.RequestOffers());
        openChannel(relId, 5);
        assertThat(say(new GuestMessage.ModifyChannel(relId, 1))).isEmpty();
        assertThat(actions).containsExactly(new Action.Retarget(relId, 1));
    }

    @Test
    void channelIdsRunOutAtTheEventPage() {
        for (int i = 1; i <= VmBusServer.MAX_CHANNELS; i++) {
            assertThat(server.offer(device(i), 0, false)).isEqualTo(i);
        }
        org.assertj.core.api.Assertions.assertThatThrownBy(() -> server.offer(device(0), 0, false))
                .hasMessageContaining("2047");
    }

    @Test
    void beforeContactNothingIsAnswered() {
        server.offer(device(1), 0, false);
        assertThat(say(
                        new GuestMessage.RequestOffers(),
                        gpadl(1, 1, 4),
                        openOf(1, 1),
                        new GuestMessage.CloseChannel(1),
                        new GuestMessage.RelIdReleased(1),
                        new GuestMessage.GpadlTeardown(1, 1),
                        new GuestMessage.ModifyChannel(1, 0)))
                .isEmpty();
        assertThat(actions).isEmpty();
    }
}
