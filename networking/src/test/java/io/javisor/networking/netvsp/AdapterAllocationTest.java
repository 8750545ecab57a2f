package io.javisor.networking.netvsp;

import static io.javisor.networking.frame.Frames.A;
import static io.javisor.networking.frame.Frames.B;
import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.Frames;
import io.javisor.networking.vswitch.PortSettings;
import io.javisor.networking.vswitch.SwitchPort;
import io.javisor.networking.vswitch.VirtualSwitch;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.VmBusVersion;
import java.lang.reflect.Method;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Packets cost no garbage on their way between the guest's ring and the switch; what the test's guest makes is not counted. */
class AdapterAllocationTest {
    private static final int FEW = 40;
    private static final int MANY = 440;
    private static final int ROUNDS = 200;

    private final TestGuest guest = new TestGuest(1, 32 << 20);
    private final VirtualSwitch net = new VirtualSwitch("test");
    private final NetworkAdapter adapter = new NetworkAdapter(0, A, 1500, 0);
    private final SwitchPort port = net.connect("guest", PortSettings.guest(A), adapter);
    private int arrived;
    private final SwitchPort peer = net.connect("peer", PortSettings.guest(B), frame -> arrived++);
    private final GuestNic nic = boot();

    private GuestNic boot() {
        adapter.plug(port);
        guest.bus().add(adapter);
        guest.connect(VmBusVersion.V5_3);
        return new GuestNic(guest, adapter).start(0x6_0001, 1500);
    }

    @AfterEach
    void close() {
        guest.close();
    }

    /** Bytes that this thread has allocated. By name, since the module under test has no need to read jdk.management. */
    private static long allocated() throws ReflectiveOperationException {
        Method method = Class.forName("com.sun.management.ThreadMXBean").getMethod("getCurrentThreadAllocatedBytes");
        Object threads = Class.forName("java.lang.management.ManagementFactory")
                .getMethod("getThreadMXBean")
                .invoke(null);
        return (long) method.invoke(threads);
    }

    private interface Round {
        long bytes(int packets) throws ReflectiveOperationException;
    }

    /** What more packets allocate than fewer; the least of many rounds, since what is compiled in between is not of their making. */
    private static long difference(Round round) throws ReflectiveOperationException {
        long many = Long.MAX_VALUE;
        long few = Long.MAX_VALUE;
        for (int i = 0; i < ROUNDS; i++) {
            many = Math.min(many, round.bytes(MANY));
            few = Math.min(few, round.bytes(FEW));
        }
        return many - few;
    }

    @Test
    void fromTheGuest() throws ReflectiveOperationException {
        byte[] packet = GuestNic.packet(
                Frames.udp(B, A, "10.0.0.1", 1, "10.0.0.2", 2, new byte[100]).toByteArray(), -1, 0);
        peer.send(Frames.plain(A, B, "here"));
        long more = difference(packets -> {
            guest.pause(); // so that packets gather in the ring
            arrived = 0;
            for (int i = 0; i < packets; i++) {
                nic.send(i % 32, packet);
            }
            assertThat(arrived).isZero();
            long before = allocated();
            guest.bus().resume();
            guest.run();
            long bytes = allocated() - before;
            assertThat(arrived).isEqualTo(packets);
            nic.poll();
            return bytes;
        });
        assertThat(more).as("bytes for %d packets", MANY - FEW).isLessThan(MANY - FEW);
        assertThat(guest.failures()).isEmpty();
    }

    @Test
    void toTheGuest() throws ReflectiveOperationException {
        Frame frame = Frames.udp(A, B, "10.0.0.2", 2, "10.0.0.1", 1, new byte[100]);
        long more = difference(packets -> {
            long before = allocated();
            for (int i = 0; i < packets; i++) {
                peer.send(frame);
            }
            guest.run();
            long bytes = allocated() - before;
            assertThat(nic.received()).hasSize(packets);
            guest.run(); // takes the guest's completions
            return bytes;
        });
        assertThat(more).as("bytes for %d packets", MANY - FEW).isLessThan(MANY - FEW);
        assertThat(guest.failures()).isEmpty();
    }
}
