package io.javisor.vmbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.partition.reactor.ThreadReactor;
import io.javisor.vmbus.guest.GuestChannel;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.VmBusVersion;
import io.javisor.vmbus.ring.PacketBuffer;
import org.junit.jupiter.api.Test;

/** A guest that sleeps until the host interrupts it, with the host on a thread of its own. */
class HaltedGuestTest {
    private static final long PATIENCE_MILLIS = 60_000;

    @Test
    void anInterruptWakesItAndNothingElseDoes() throws Exception {
        try (var reactor = new ThreadReactor("host");
                var guest = new TestGuest(1, 8 << 20, reactor)) {
            var device = new EchoDevice(1);
            guest.bus().add(device);
            guest.connect(VmBusVersion.V5_3);
            GuestChannel channel = guest.open(device.offer(), 4, 4);
            var answer = new PacketBuffer(4096);
            channel.mask();
            for (int i = 0; i < 200; i++) {
                assertThat(channel.trySend(i, new byte[16], true)).isTrue();
                channel.publish();
                while (!channel.poll(answer)) {
                    assertThat(channel.halt(PATIENCE_MILLIS)).isTrue();
                }
                assertThat(answer.transactionId()).isEqualTo(i);
                channel.taken();
            }
            while (channel.halt(1)) { // an interrupt that came when the answer had been found already
                assertThat(channel.poll(answer)).isFalse();
            }
            assertThat(channel.poll(answer)).isFalse();
        }
    }
}
