package io.javisor.vmbus.socket;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.javisor.vmbus.StubChannel;
import io.javisor.vmbus.StubPacket;
import io.javisor.vmbus.channel.ChannelRefusedException;
import io.javisor.vmbus.protocol.Wire;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;

/**
 * Packets of a guest into a socket that is read at the same time. Each step of the input is a length and up to eight flips of
 * the packet's header. Run it by itself: one target fuzzes per JVM.
 */
@Tag("fuzz")
class HvSocketFuzzTest {
    private static final SocketEnd.Owner NOBODY = new SocketEnd.Owner() {
        @Override
        public void opened(SocketEnd end) {}

        @Override
        public void finished(SocketEnd end) {}
    };

    @FuzzTest(maxDuration = "5m")
    void packets(byte[] data) throws InterruptedException {
        StubChannel channel = new StubChannel();
        SocketEnd end = new SocketEnd(ServicePort.guid(1), ServicePort.guid(2), false, NOBODY);
        end.opened(channel);
        List<StubPacket> packets = new ArrayList<>();
        ByteBuffer into = ByteBuffer.allocate(64);
        long announced = 0;
        long read = 0;
        boolean broken = false;
        boolean ended = false;
        for (int at = 0; at + 1 < data.length && packets.size() < 100 && !broken; ) {
            int length = data[at++] & 0x7F;
            int flips = data[at++] & 0xF;
            ByteBuffer bytes = Wire.buffer(new byte[Math.max(0, length - 4) + 8]);
            bytes.putInt(0, 1).putInt(4, Math.max(0, length - 4));
            for (int i = 0; i < flips && at < data.length && flips <= 8; i++, at++) {
                bytes.put(i, (byte) (bytes.get(i) ^ data[at]));
            }
            byte[] payload = Wire.bytes(bytes);
            StubPacket packet = new StubPacket(flips > 8 ? java.util.Arrays.copyOf(payload, flips - 9) : payload);
            packets.add(packet);
            try {
                end.received(packet);
                int said = packet.getInt(4);
                if (!ended) {
                    announced += said;
                }
                ended |= said == 0;
            } catch (ChannelRefusedException e) {
                broken = true;
            }
            // A reader that never blocks: it reads when there is something.
            while (read < announced && (length & 1) == 0) {
                into.clear().limit(1 + length / 2);
                read += reads(end, into);
            }
        }
        end.closed();
        while (read < announced) {
            into.clear();
            int n = reads(end, into);
            if (n <= 0) {
                throw new AssertionError(read + " of " + announced + " bytes");
            }
            read += n;
        }
        end.close();
        channel.manual.advance(Duration.ofSeconds(20));
        for (StubPacket packet : packets.subList(0, packets.size() - (broken ? 1 : 0))) {
            if (!packet.isFinished()) {
                throw new AssertionError("a packet was kept");
            }
        }
    }

    private static int reads(SocketEnd end, ByteBuffer into) throws InterruptedException {
        try {
            return end.read(into);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
