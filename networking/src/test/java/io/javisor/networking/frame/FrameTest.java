package io.javisor.networking.frame;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;

/** What is read out of frames, and how they are cut and summed. */
class FrameTest {
    @Test
    void macAddressesAreReadAndWritten() {
        assertThat(MacAddress.parse("02-AB-cd:00:01:ff").toString()).isEqualTo("02:ab:cd:00:01:ff");
        assertThat(MacAddress.BROADCAST.isMulticast()).isTrue();
        assertThatThrownBy(() -> MacAddress.parse("02:00:00:00:00")).isInstanceOf(IllegalArgumentException.class);
        MacAddress made = MacAddress.generated("vm", 0);
        assertThat(made).isEqualTo(MacAddress.generated("vm", 0)).isNotEqualTo(MacAddress.generated("vm", 1));
        assertThat(made.isMulticast()).isFalse();
        assertThat(made.value() >>> 41 & 1).as("locally administered").isEqualTo(1);
    }

    @Test
    void aTagIsMovedBesideTheBytes() {
        byte[] tagged = Frames.hex("02000000000a 02000000000b 8100 600a 88b5 0102030405060708090a0b0c0d0e0f10"
                + "0000000000000000000000000000000000000000000000000000000000000000");
        Frame frame = Frame.of(tagged);
        assertThat(frame.vlan()).isEqualTo(10);
        assertThat(frame.priority()).isEqualTo(3);
        assertThat(frame.etherType()).isEqualTo(0x88B5);
        assertThat(frame.length()).isEqualTo(tagged.length - 4);
        assertThat(frame.getShort(14)).isEqualTo(0x0102);
    }

    @Test
    void headersAreFound() {
        Frame frame = Frames.tcp(Frames.A, Frames.B, "10.0.0.1", 1000, "10.0.0.2", 80, 7, 8, 0x18, new byte[5]);
        assertThat(frame.protocol()).isEqualTo(Frame.TCP);
        assertThat(frame.transport()).isEqualTo(34);
        assertThat(frame.payload()).isEqualTo(54);
        assertThat(frame.sourcePort()).isEqualTo(1000);
        assertThat(frame.destinationPort()).isEqualTo(80);
        assertThat(frame.source()).isEqualTo(Frames.B.value());
        assertThat(frame.destination()).isEqualTo(Frames.A.value());
        frame.putShort(20, 0x2000); // the first of fragments
        assertThat(frame.parse()).isTrue();
        assertThat(frame.isFragment()).isTrue();
        assertThat(frame.transport()).isEqualTo(34);
        frame.putShort(20, 0x0001); // a later one
        assertThat(frame.parse()).isTrue();
        assertThat(frame.transport()).isZero();
        assertThat(frame.protocol()).isEqualTo(Frame.TCP);
    }

    @Test
    void whatIsCutOffIsNotRead() {
        Frame whole = Frames.tcp(Frames.A, Frames.B, "10.0.0.1", 1000, "10.0.0.2", 80, 7, 8, 0x18, new byte[5]);
        for (int length = 0; length < whole.length(); length++) {
            Frame part = new Frame(200);
            System.arraycopy(whole.bytes(), 0, part.bytes(), 0, length);
            part.begin(length);
            assertThat(part.parse()).isEqualTo(length >= 14);
            assertThat(part.transport()).isEqualTo(length >= 54 ? 34 : 0);
            assertThat(part.protocol()).isEqualTo(length >= 34 ? Frame.TCP : 0);
        }
    }

    @Test
    void extensionHeadersOfIpv6AreSkipped() {
        // hop by hop, then an ICMPv6 router advertisement
        Frame frame = Frame.of(Frames.hex("333300000001 02000000000a 86dd 60000000 0018 00 ff"
                + "fe800000000000000000000000000001 ff020000000000000000000000000001"
                + "3a00050200000000 8600000000000000000000000000000000"));
        assertThat(frame.protocol()).isEqualTo(Frame.ICMPV6);
        assertThat(frame.getByte(frame.transport())).isEqualTo(134);
    }

    @Test
    void checksumsAreThoseOfTheRfc() {
        assertThat(Checksums.of(Frames.hex("0001 f203 f4f5 f6f7"), 0, 8)).isEqualTo(0x220D); // RFC 1071, section 3
        Frame frame = Frames.udp(Frames.A, Frames.B, "10.0.0.1", 53, "10.0.0.2", 99, Frames.random(33));
        assertThat(Checksums.isRight(frame)).isTrue();
        frame.putByte(50, frame.getByte(50) ^ 1);
        assertThat(Checksums.isRight(frame)).isFalse();
    }

    @Test
    void largePacketsAreCut() {
        byte[] content = Frames.random(10_001);
        Frame large = new Frame();
        Frame whole = Frames.tcp(Frames.A, Frames.B, "10.0.0.1", 1000, "10.0.0.2", 80, -5000, 8, 0x99, content);
        large.copyOf(whole);
        large.setMss(1460);
        Segments.setLengths(large);
        assertThat(Segments.canCut(large)).isTrue();
        var joined = new ByteArrayOutputStream();
        var flags = new ArrayList<Integer>();
        large.segments().cut(large, piece -> {
            assertThat(piece.length()).isLessThanOrEqualTo(1514);
            assertThat(piece.openChecksum()).isTrue();
            Checksums.close(piece);
            assertThat(Checksums.isRight(piece)).isTrue();
            assertThat(Checksums.of(piece.bytes(), 14, 20)).as("IP header").isZero();
            assertThat(piece.getInt(38)).isEqualTo(-5000 + joined.size());
            joined.write(piece.bytes(), piece.payload(), piece.length() - piece.payload());
            flags.add(piece.getByte(47));
        });
        assertThat(joined.toByteArray()).isEqualTo(content);
        assertThat(flags)
                .as("CWR at the first, PSH and FIN at the last")
                .containsExactly(0x90, 0x10, 0x10, 0x10, 0x10, 0x10, 0x19);
    }

    @Test
    void theQueueGivesBackWhatItWasGiven() {
        var queue = new FrameQueue();
        Frame out = new Frame();
        int put = 0;
        int taken = 0;
        for (int round = 0; round < 3000; round++) {
            Frame in = Frames.plain(Frames.A, Frames.B, "frame " + put + "x".repeat(put % 700));
            in.setVlan(put % 4095, 0);
            while (!queue.put(in, 0, 0)) {
                assertThat(queue.next()).isTrue();
                queue.take(out);
                assertThat(out.vlan()).isEqualTo(taken % 4095);
                assertThat(new String(out.bytes(), 14, out.length() - 14, StandardCharsets.UTF_8))
                        .startsWith("frame " + taken);
                taken++;
            }
            put++;
        }
        while (queue.next()) {
            queue.take(out);
            assertThat(new String(out.bytes(), 14, out.length() - 14, StandardCharsets.UTF_8))
                    .startsWith("frame " + taken);
            taken++;
        }
        assertThat(taken).isEqualTo(put);
        assertThat(queue.isEmpty()).isTrue();
    }
}
