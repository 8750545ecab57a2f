package io.javisor.networking.user;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.Frames;
import io.javisor.networking.frame.MacAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Packets in fragments: whole again in any order, and never from pieces that overlap. */
class ReassemblyTest {
    private final Reassembly reassembly = new Reassembly();

    private static Frame packet(boolean ipv6, int bytes) {
        MacAddress to = Addresses.GATEWAY_MAC;
        return ipv6
                ? Frames.udp6(to, Frames.A, GuestStack.SELF6, 7, "2001:db8::1", 9, Frames.random(bytes))
                : Frames.udp(to, Frames.A, GuestStack.SELF, 7, "192.0.2.1", 9, Frames.random(bytes));
    }

    private byte[] all(List<Frame> pieces, long now) {
        byte[] whole = null;
        for (Frame piece : pieces) {
            assertThat(piece.isFragment()).isTrue();
            assertThat(whole).as("too early").isNull();
            Frame found = reassembly.add(piece, now);
            whole = found == null ? null : found.toByteArray();
        }
        return whole == null ? new byte[0] : whole;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anyOrderMakesThePacketWhole(boolean ipv6) {
        var random = new Random(1);
        for (int bytes : new int[] {1473, 3000, 5001, 65_400}) {
            Frame packet = packet(ipv6, bytes);
            List<Frame> pieces = new ArrayList<>(Frames.fragments(packet, 1400, bytes));
            Collections.shuffle(pieces, random);
            Frame whole = Frame.of(all(pieces, 0));
            assertThat(whole.isFragment()).isFalse();
            assertThat(whole.destinationPort()).isEqualTo(9);
            assertThat(Checksums.isRight(whole)).isTrue();
            assertThat(whole.length()).isEqualTo(packet.length());
            assertThat(reassembly.waiting()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatTheGatewayCutsFitsAndIsWholeAgain(boolean ipv6) {
        Frame packet = packet(ipv6, 4000);
        byte[] before = packet.toByteArray();
        Checksums.open(packet);
        var pieces = new ArrayList<Frame>();
        new Fragments().cut(packet, 1280, piece -> pieces.add(Frame.of(piece.toByteArray())));
        assertThat(pieces).hasSize(4).allMatch(p -> p.length() <= 14 + 1280);
        byte[] whole = all(pieces, 0);
        assertThat(java.util.Arrays.copyOfRange(whole, ipv6 ? 54 : 34, whole.length))
                .isEqualTo(java.util.Arrays.copyOfRange(before, ipv6 ? 54 : 34, before.length));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void overlapsSpoilThePacketForGood(boolean ipv6) {
        List<Frame> pieces = Frames.fragments(packet(ipv6, 3000), 1400, 1);
        List<Frame> others = Frames.fragments(packet(ipv6, 3000), 1000, 1);
        assertThat(reassembly.add(pieces.get(0), 0)).isNull();
        assertThat(reassembly.add(others.get(1), 0))
                .as("1000 to 2000, over 0 to 1400")
                .isNull();
        assertThat(all(pieces.subList(1, 3), 0)).isEmpty();
        assertThat(all(pieces, 0)).as("the same again").isEmpty();
        assertThat(all(pieces, Reassembly.LIMIT_NANOS)).as("a new one, later").isNotEmpty();
    }

    @Test
    void endsThatContradictAreRefused() {
        List<Frame> pieces = Frames.fragments(packet(false, 3000), 1400, 1);
        List<Frame> shorter = Frames.fragments(packet(false, 2000), 1400, 1);
        assertThat(reassembly.add(shorter.get(1), 0)).isNull(); // ends at 2008
        assertThat(reassembly.add(pieces.get(2), 0)).isNull(); // from 2800
        assertThat(reassembly.add(pieces.get(0), 0)).isNull();
    }

    @Test
    void memoryIsBoundedAndTheOldestGoes() {
        List<Frame> first = Frames.fragments(packet(false, 3000), 1400, 77);
        reassembly.add(first.get(0), 0);
        for (int i = 0; i < 100; i++) {
            reassembly.add(Frames.fragments(packet(false, 3000), 1400, 1000 + i).get(0), 0);
            assertThat(reassembly.waiting()).isLessThanOrEqualTo(Reassembly.MOST_PACKETS);
        }
        assertThat(all(first.subList(1, 3), 0)).isEmpty();
    }

    @Test
    void whatIsNotWholeInTimeIsForgotten() {
        List<Frame> pieces = Frames.fragments(packet(true, 3000), 1400, 1);
        reassembly.add(pieces.get(0), 0);
        reassembly.add(pieces.get(1), 0);
        assertThat(reassembly.add(pieces.get(2), Reassembly.LIMIT_NANOS)).isNull();
        assertThat(reassembly.waiting()).as("the last alone").isEqualTo(1);
    }

    @Test
    void nonsenseIsDropped() {
        Frame middle = Frames.fragments(packet(false, 3000), 1400, 1).get(1);
        middle.putShort(16, 20 + 1399); // no multiple of 8, and more to come
        assertThat(reassembly.add(middle, 0)).isNull();
        Frame far = Frames.fragments(packet(false, 3000), 1400, 1).get(1);
        far.putShort(20, 0x1FFF); // at 65,528
        assertThat(reassembly.add(far, 0)).isNull();
        Frame longer = Frames.fragments(packet(false, 3000), 1400, 1).get(0);
        longer.putShort(16, 20 + 8000); // than it is
        assertThat(reassembly.add(longer, 0)).isNull();
        assertThat(reassembly.waiting()).isZero();
    }
}
