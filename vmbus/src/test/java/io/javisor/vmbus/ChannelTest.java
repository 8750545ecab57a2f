package io.javisor.vmbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.vmbus.guest.GuestChannel;
import io.javisor.vmbus.guest.GuestPacket;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.VmBusVersion;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ChannelTest {
    @Test
    void aPacketIsAnsweredWithItsOwnPayload() {
        try (TestGuest guest = new TestGuest(2, 1 << 20)) {
            EchoDevice device = new EchoDevice(1);
            guest.bus().add(device);
            guest.connect(VmBusVersion.V5_3);
            GuestChannel channel = guest.open(device.offer(), 4, 4);
            channel.send(42, "hello".getBytes(StandardCharsets.UTF_8), true);
            assertThat(channel.wasSignalled()).isTrue();
            GuestPacket answer = channel.receive();
            assertThat(answer.isCompletion()).isTrue();
            assertThat(answer.transactionId()).isEqualTo(42);
            assertThat(new String(answer.payload(), StandardCharsets.UTF_8)).isEqualTo("hello\0\0\0");
            channel.close();
            assertThat(device.closed).isEqualTo(1);
            assertThat(guest.failures()).isEmpty();
        }
    }
}
