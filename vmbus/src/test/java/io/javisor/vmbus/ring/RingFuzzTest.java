package io.javisor.vmbus.ring;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.javisor.partition.GuestAddressException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Tag;

/**
 * A ring that a guest has spoilt: the input flips bits of the indices and of the first packets of a good one, half of it before
 * the first packet is read and half after. Run it by itself: one target fuzzes per JVM.
 */
@Tag("fuzz")
class RingFuzzTest {
    private static final int LIMIT = 640;

    private final RingFixture fixture = new RingFixture(1, false);
    private final byte[] header = header();
    private final MemorySegment payload = MemorySegment.ofArray(new byte[600]);
    private final PageRuns pages = new PageRuns(fixture.memory);

    private static byte[] header() {
        ByteBuffer out = ByteBuffer.allocate(8 + 8 + 16 + 8 + 8).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(0).putInt(2).putInt(0x1800).putInt(0x100).putLong(1).putLong(2);
        return out.putInt(16).putInt(8).putLong(1).array();
    }

    @FuzzTest(maxDuration = "5m")
    void read(byte[] data) {
        fixture.ring.initialize();
        for (long at = 0; at < 2_048; at += 8) {
            fixture.memory.putLong(RingFixture.CONTROL + 4096 + at, 0);
        }
        OutgoingRing out = new OutgoingRing(fixture.ring);
        out.write(PacketTypes.IN_BAND, 1, 1, payload, 0, 40);
        out.write(PacketTypes.GPA_DIRECT, 1, 2, MemorySegment.ofArray(header), header.length, payload, 0, 24);
        out.write(PacketTypes.IN_BAND, 1, 3, payload, 0, 600);
        out.write(PacketTypes.IN_BAND, 1, 4, payload, 0, 600);
        out.publish();
        try {
            IncomingRing in = new IncomingRing(fixture.ring);
            PacketBuffer packet = new PacketBuffer(LIMIT);
            flip(data, 0, data.length / 2);
            int bytes = 0;
            while (in.next(packet)) {
                bytes += packet.payloadOffset() + packet.payloadLength() + 8;
                if (bytes > fixture.ring.size()
                        || packet.payloadOffset() < 16
                        || packet.payloadLength() < 0
                        || packet.payloadOffset() + packet.payloadLength() > LIMIT) {
                    throw new AssertionError(bytes + " bytes from a ring of " + fixture.ring.size());
                }
                packet.payload();
                packet.extraHeader();
                if (packet.type() == PacketTypes.GPA_DIRECT) {
                    packet.resolve(pages);
                    if (pages.length() > 128L * 4096) {
                        throw new AssertionError("buffer of " + pages.length());
                    }
                }
                in.commit();
                flip(data, data.length / 2, data.length);
            }
            in.unmask();
            new OutgoingRing(fixture.ring);
        } catch (RingCorruptException | GuestAddressException e) {
            // found
        }
    }

    /** The first 16 bytes go to the control page, what follows to the packets. */
    private void flip(byte[] data, int from, int to) {
        for (int i = from; i < to && i - from < 300; i++) {
            int at = i - from;
            long gpa = RingFixture.CONTROL + (at < 16 ? at : 4096 + at - 16);
            fixture.memory.putByte(gpa, (byte) (fixture.memory.getByte(gpa) ^ data[i]));
        }
    }
}
