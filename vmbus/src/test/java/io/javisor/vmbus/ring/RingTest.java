package io.javisor.vmbus.ring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RingTest {
    private static boolean write(RingFixture f, long transaction, byte[] payload) {
        return f.out.write(PacketTypes.IN_BAND, 1, transaction, MemorySegment.ofArray(payload), 0, payload.length);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void packetsOfAllSizesComeThroughInOrderAndAroundTheEnd(boolean scattered) {
        RingFixture f = new RingFixture(3, scattered);
        Random random = new Random(7);
        ArrayDeque<byte[]> sent = new ArrayDeque<>();
        PacketBuffer packet = new PacketBuffer(8_192);
        long next = 0;
        long received = 0;
        for (int round = 0; round < 20_000; round++) {
            byte[] payload = new byte[random.nextInt(300)];
            random.nextBytes(payload);
            if (random.nextBoolean() && write(f, next, payload)) {
                sent.add(payload);
                next++;
                f.out.publish();
            } else if (f.in.next(packet)) {
                byte[] expected = sent.remove();
                assertThat(packet.transactionId()).isEqualTo(received++);
                assertThat(packet.type()).isEqualTo(PacketTypes.IN_BAND);
                assertThat(packet.completionRequested()).isTrue();
                assertThat(packet.payloadLength()).isEqualTo(expected.length + 7 & ~7);
                assertThat(packet.payload()).startsWith(expected);
                f.in.commit();
            }
        }
        assertThat(received).isGreaterThan(5_000);
    }

    @Test
    void thePacketLiesAsTheSpecificationDrawsIt() {
        RingFixture f = new RingFixture(1, false);
        write(f, 0x1122334455667788L, new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9});
        f.out.publish();
        long data = RingFixture.CONTROL + 4096;
        assertThat(f.memory.getLong(data)).isEqualTo(0x0001_0004_0002_0006L);
        assertThat(f.memory.getLong(data + 8)).isEqualTo(0x1122334455667788L);
        assertThat(f.memory.getLong(data + 16)).isEqualTo(0x0807060504030201L);
        assertThat(f.memory.getLong(data + 24)).isEqualTo(9L);
        assertThat(f.memory.getLong(data + 32)).as("trailer of the packet at 0").isZero();
        assertThat(f.get(RingMemory.IN)).isEqualTo(40);
        write(f, 0, new byte[0]);
        f.out.publish();
        assertThat(f.memory.getLong(data + 56))
                .as("trailer of the packet at 40")
                .isEqualTo(40L << 32);
    }

    @Test
    void theRingIsNeverFilledToTheLastEightBytes() {
        RingFixture f = new RingFixture(1, false);
        byte[] largest = new byte[4096 - 8 - 16 - 8];
        assertThat(write(f, 1, largest)).isTrue();
        assertThat(write(f, 2, new byte[0])).isFalse();
        assertThatThrownBy(() -> write(f, 3, new byte[largest.length + 8]))
                .isInstanceOf(IllegalArgumentException.class);
        f.out.publish();
        PacketBuffer packet = new PacketBuffer(4096);
        assertThat(f.in.next(packet)).isTrue();
        assertThat(f.in.next(packet)).isFalse();
        f.in.commit();
        assertThat(write(f, 3, largest)).isTrue();
    }

    @Test
    void onlyTheStepFromEmptyToNotEmptyIsSignalled() {
        RingFixture f = new RingFixture(1, false);
        write(f, 1, new byte[8]);
        write(f, 2, new byte[8]);
        assertThat(f.out.publish()).as("first").isTrue();
        write(f, 3, new byte[8]);
        assertThat(f.out.publish()).as("the peer knows").isFalse();
        PacketBuffer packet = new PacketBuffer(4096);
        while (f.in.next(packet)) {
            f.in.commit();
        }
        f.in.mask();
        write(f, 4, new byte[8]);
        assertThat(f.out.publish()).as("masked").isFalse();
        assertThat(f.in.unmask()).as("but seen when unmasking").isTrue();
        f.in.next(packet);
        f.in.commit();
        assertThat(f.in.unmask()).isFalse();
        write(f, 5, new byte[8]);
        assertThat(f.out.publish()).isTrue();
        assertThat(f.out.publish()).as("nothing new").isFalse();
    }

    @Test
    void aWriterThatWaitsForRoomIsSignalledOnceThereIs() {
        RingFixture f = new RingFixture(1, false);
        byte[] quarter = new byte[1000];
        while (write(f, 1, quarter)) {}
        f.out.publish();
        int wanted = OutgoingRing.packetBytes(0, 2_100);
        assertThat(f.out.awaitRoom(wanted)).isFalse();
        PacketBuffer packet = new PacketBuffer(4096);
        f.in.next(packet);
        assertThat(f.in.commit()).as("one packet is not enough").isFalse();
        f.in.next(packet);
        assertThat(f.in.commit()).as("two are").isTrue();
        f.in.next(packet);
        assertThat(f.in.commit()).as("told once").isFalse();
        assertThat(f.out.awaitRoom(wanted)).as("room already").isTrue();
        assertThat(f.get(RingMemory.PENDING_SEND_SIZE)).isZero();
    }

    @Test
    void aPendingSizeOfTheWholeRingIsMetWhenItIsEmpty() {
        RingFixture f = new RingFixture(1, false);
        write(f, 1, new byte[8]);
        write(f, 1, new byte[8]);
        f.out.publish();
        f.put(RingMemory.PENDING_SEND_SIZE, 4095); // as some guests do: ring size less one
        PacketBuffer packet = new PacketBuffer(4096);
        f.in.next(packet);
        assertThat(f.in.commit()).isFalse();
        f.in.next(packet);
        assertThat(f.in.commit()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {4096, 4097, 4, 1, -8, Integer.MIN_VALUE})
    void nonsenseIndicesAreFound(int index) {
        RingFixture f = new RingFixture(1, false);
        f.put(RingMemory.IN, index);
        assertThatThrownBy(f.in::hasNext).isInstanceOf(RingCorruptException.class);
        assertThatThrownBy(() -> new IncomingRing(f.ring)).isInstanceOf(RingCorruptException.class);
        f.put(RingMemory.IN, 0);
        f.put(RingMemory.OUT, index);
        write(f, 1, new byte[8]);
        assertThatThrownBy(f.out::publish).isInstanceOf(RingCorruptException.class);
        assertThatThrownBy(() -> new OutgoingRing(f.ring)).isInstanceOf(RingCorruptException.class);
    }

    @ParameterizedTest
    @ValueSource(
            longs = {
                0x0000_0000_0000_0006L, // nothing
                0x0000_0002_0001_0006L, // header of 8 bytes
                0x0000_0002_0003_0006L, // header longer than the packet
                0x0000_0040_0002_0006L, // longer than what was written
                0x0000_FFFF_0002_0006L,
            })
    void nonsenseLengthsAreFound(long word) {
        RingFixture f = new RingFixture(1, false);
        write(f, 1, new byte[64]);
        f.out.publish();
        f.memory.putLong(RingFixture.CONTROL + 4096, word);
        PacketBuffer packet = new PacketBuffer(4096);
        assertThatThrownBy(() -> f.in.next(packet)).isInstanceOf(RingCorruptException.class);
    }

    @Test
    void aPacketBeyondTheLimitIsFound() {
        RingFixture f = new RingFixture(1, false);
        write(f, 1, new byte[64]);
        f.out.publish();
        assertThatThrownBy(() -> f.in.next(new PacketBuffer(72)))
                .isInstanceOf(RingCorruptException.class)
                .hasMessageContaining("80 bytes where 72");
    }

    @Test
    void aRingIsTakenUpWhereItWasLeft() {
        RingFixture f = new RingFixture(1, false);
        PacketBuffer packet = new PacketBuffer(4096);
        for (int i = 0; i < 100; i++) {
            write(f, i, new byte[80]);
            f.out.publish();
            f.in.next(packet);
            f.in.commit();
        }
        write(f, 100, new byte[80]);
        f.out.publish();
        int readIndex = f.in.readIndex();
        f.put(RingMemory.OUT, 0); // the guest must not be able to move what is ours
        IncomingRing again = new IncomingRing(f.ring, readIndex);
        assertThat(again.next(packet)).isTrue();
        assertThat(packet.transactionId()).isEqualTo(100);
        assertThat(f.get(RingMemory.OUT)).isEqualTo(readIndex);
    }

    @Test
    void gpaDirectPagesAreResolvedAndMerged() {
        RingFixture f = new RingFixture(4, false);
        byte[] header = new byte[8 + 8 + 16 + 8 + 8];
        var words = java.nio.ByteBuffer.wrap(header).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        words.putInt(0).putInt(2);
        words.putInt(8192).putInt(0).putLong(2).putLong(3); // contiguous: merged
        words.putInt(100).putInt(50).putLong(1);
        byte[] payload = {9};
        f.out.write(
                PacketTypes.GPA_DIRECT,
                1,
                5,
                MemorySegment.ofArray(header),
                header.length,
                MemorySegment.ofArray(payload),
                0,
                1);
        f.out.publish();
        PacketBuffer packet = new PacketBuffer(4096);
        f.in.next(packet);
        PageRuns pages = new PageRuns(f.memory);
        packet.resolve(pages);
        assertThat(pages.length()).isEqualTo(8192 + 100);
        assertThat(pages.count()).isEqualTo(2);
        assertThat(pages.segment(0).byteSize()).isEqualTo(8192);
        f.memory.putByte(0x1000 + 50 + 99, (byte) 77);
        MemorySegment last = MemorySegment.ofArray(new byte[1]);
        pages.read(8192 + 99, last);
        assertThat(last.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 77);
        assertThatThrownBy(() -> pages.read(8192 + 100, last)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(packet.payload()[0]).isEqualTo((byte) 9);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "00000000 01000000 00100000 00000000", // a page is missing
                "00000000 ffffffff 00100000 00000000 0200000000000000", // ranges without end
                "00000000 01000000 00000000 00000000 0200000000000000", // nothing in it
                "00000000 01000000 00100000 00100000 0200000000000000", // offset of a page
                "00000000 01000000 00100000 ffffffff 0200000000000000",
                "00000000 01000000 ffffffff 00000000 0200000000000000", // 4 GiB in a page
                "00000000 01000000 00100000 00000000 ff00000000000000", // not memory
                "00000000 01000000 00100000 00000000 ffffffffffffffff",
                "00000000 01000000 00100000 00000000 0000000000000100",
            })
    void nonsenseRangesAreFound(String hex) {
        RingFixture f = new RingFixture(4, false);
        byte[] header = java.util.HexFormat.of().parseHex(hex.replace(" ", ""));
        f.out.write(
                PacketTypes.GPA_DIRECT,
                1,
                5,
                MemorySegment.ofArray(header),
                header.length,
                MemorySegment.ofArray(new byte[0]),
                0,
                0);
        f.out.publish();
        PacketBuffer packet = new PacketBuffer(4096);
        f.in.next(packet);
        PageRuns pages = new PageRuns(f.memory);
        assertThatThrownBy(() -> packet.resolve(pages)).isInstanceOf(io.javisor.partition.HypervisorException.class);
    }
}
