package io.javisor.networking.netvsp;

import static io.javisor.networking.frame.Frames.A;
import static io.javisor.networking.frame.Frames.B;
import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.networking.frame.Frames;
import io.javisor.networking.vswitch.PortSettings;
import io.javisor.networking.vswitch.Recorder;
import io.javisor.networking.vswitch.SwitchPort;
import io.javisor.networking.vswitch.VirtualSwitch;
import io.javisor.vmbus.guest.GuestRange;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.VmBusVersion;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A guest that says anything: at worst it loses its channel, and opens it again. */
@SuppressWarnings("ByteBufferBackingArray") // whole buffers of this test's own
class HostileNicTest {
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void whateverItSaysTheChannelCanBeOpenedAgain(long seed) {
        var random = new Random(seed);
        var net = new VirtualSwitch("hostile", VirtualSwitch.AGE, () -> 0);
        var peer = new Recorder();
        SwitchPort peerPort = net.connect("peer", PortSettings.uplink(), peer);
        var adapter = new NetworkAdapter(0, A, 1500, 3);
        adapter.plug(net.connect("guest", PortSettings.guest(A), adapter));
        try (var guest = new TestGuest(2, 64 << 20)) {
            guest.bus().add(adapter);
            guest.connect(VmBusVersion.V5_3);
            for (int round = 0; round < 10; round++) {
                GuestNic nic = new GuestNic(guest, adapter);
                if (round % 3 != 0) {
                    nic.start(0x6_0001, 1500);
                }
                int before = guest.failures().size();
                long scratch = guest.allocate(4096);
                for (int i = 0; i < 200 && guest.failures().size() == before; i++) {
                    hostile(random, nic, guest, scratch);
                    peerPort.send(Frames.plain(A, B, "frame"));
                    while (nic.channel.tryReceive() != null) {
                        // whatever it is
                    }
                }
                nic.channel.close();
                peer.frames.clear();
            }
            GuestNic nic = new GuestNic(guest, adapter).start(0x6_0001, 1500);
            nic.send(GuestNic.packet(Frames.plain(B, A, "hello").toByteArray(), -1, 0));
            assertThat(peer.texts()).containsExactly("hello");
            peerPort.send(Frames.plain(A, B, "and back"));
            assertThat(nic.received()).hasSize(1);
        }
    }

    @SuppressWarnings("ByteBufferBackingArray") // allocated here
    private static void hostile(Random random, GuestNic nic, TestGuest guest, long scratch) {
        int[] types = {1, 100, 101, 103, 104, 106, 107, 107, 107, 107, 107, 107, 125, 129, 133, random.nextInt()};
        ByteBuffer message = GuestNic.little(8 + 8 * random.nextInt(5));
        while (message.remaining() >= 4) {
            message.putInt(random.nextInt(4) == 0 ? random.nextInt() : random.nextInt(3) - 1);
        }
        message.putInt(0, types[random.nextInt(types.length)]);
        if (message.getInt(0) == 107 && message.capacity() >= 16 && random.nextInt(4) != 0) {
            message.putInt(8, random.nextBoolean() ? -1 : random.nextInt(45)).putInt(12, random.nextInt(6200));
        }
        byte[] content = new byte[4096];
        random.nextBytes(content);
        byte[] packet = GuestNic.packet(
                Frames.tcp(B, A, "10.0.0.1", 1, "10.0.0.2", 2, 0, 0, 0x10, new byte[random.nextInt(2000)])
                        .toByteArray(),
                random.nextInt(8),
                random.nextInt());
        System.arraycopy(packet, 0, content, 0, packet.length);
        for (int flips = random.nextInt(4); flips > 0; flips--) {
            int at = random.nextInt(100);
            content[at] = (byte) random.nextInt();
        }
        if (random.nextInt(3) == 0) { // a request
            ByteBuffer.wrap(content)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(0, random.nextInt(9))
                    .putInt(4, random.nextInt(600));
        }
        guest.memory().write(scratch, content);
        long id = random.nextInt(200);
        switch (random.nextInt(8)) {
            case 0 -> nic.channel.write(11, 0, id, new byte[0], new byte[8]);
            case 1, 2 -> nic.channel.trySend(id, message.array(), random.nextBoolean());
            default ->
                nic.channel.trySendGpaDirect(
                        id, message.array(), List.of(GuestRange.of(scratch, 1 + random.nextInt(4096))));
        }
        nic.channel.flush();
    }
}
