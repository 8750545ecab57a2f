package io.javisor.networking.netvsp;

import static io.javisor.networking.frame.Frames.A;
import static io.javisor.networking.frame.Frames.B;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.Frames;
import io.javisor.networking.vswitch.PortSettings;
import io.javisor.networking.vswitch.SwitchPort;
import io.javisor.networking.vswitch.VirtualSwitch;
import io.javisor.vmbus.guest.GuestRange;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.VmBusVersion;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;

/**
 * What a guest says over an adapter's channel, as the input says, while frames come for it: at worst the channel closes, and it can be
 * opened again.
 *
 * <pre>
 * first byte: whether the adapter is set up as a driver does it before
 * then: 0 kind (completion, message, message with pages)   1 transaction   2 bytes of message   3 bytes in the pages, by 16   4 content
 * </pre>
 */
@Tag("fuzz")
class NvspFuzz {
    private static final int STEPS = 64;
    private static final int INPUTS = 1024; // before the guest is made anew

    private @Nullable TestGuest guest;
    private NetworkAdapter adapter = new NetworkAdapter(0, A, 1500, 3);
    private @Nullable SwitchPort peer;
    private long scratch;
    private int inputs;
    private String broken = "";

    private TestGuest fresh() {
        TestGuest now = guest;
        if (now == null || ++inputs == INPUTS) {
            if (now != null) {
                now.close();
            }
            inputs = 0;
            var net = new VirtualSwitch("fuzz", VirtualSwitch.AGE, () -> 0);
            adapter = new NetworkAdapter(0, A, 1500, 3);
            peer = net.connect("peer", PortSettings.uplink(), this::check);
            adapter.plug(net.connect("guest", PortSettings.guest(A), adapter));
            now = new TestGuest(2, 16 << 20);
            now.bus().add(adapter);
            now.connect(VmBusVersion.V5_3);
            scratch = now.allocate(4096);
            guest = now;
        }
        return now;
    }

    /** On the channel's own way, where an exception would only close it. */
    private void check(Frame frame) {
        if (frame.length() < 14 || frame.length() > 1518 || frame.mss() != 0 || frame.source() != A.value()) {
            broken = frame.length() + " bytes, MSS " + frame.mss() + ", from " + frame.source();
        }
    }

    @FuzzTest(maxDuration = "5m")
    void messages(byte[] input) {
        if (input.length < 5) {
            return;
        }
        TestGuest now = fresh();
        long before = now.mark();
        var nic = new GuestNic(now, adapter);
        if ((input[0] & 1) != 0) {
            nic.start(0x6_0001, 1500);
        }
        int failed = now.failures().size();
        int at = 1;
        for (int i = 0; i < STEPS && at + 4 <= input.length && now.failures().size() == failed; i++) {
            int kind = (input[at] & 0xFF) % 3;
            long transaction = input[at + 1] & 0xFF;
            int bytes = Math.min(input[at + 2] & 0x3F, input.length - at - 4) & ~7;
            int pages = 16 * (input[at + 3] & 0xFF);
            byte[] message = Arrays.copyOfRange(input, at + 4, at + 4 + bytes);
            at += 4 + bytes;
            if (kind == 2) {
                byte[] content = new byte[4096];
                System.arraycopy(input, at, content, 0, Math.min(pages, input.length - at));
                at = Math.min(input.length, at + pages);
                now.memory().write(scratch, content);
                nic.channel.trySendGpaDirect(transaction, message, List.of(GuestRange.of(scratch, Math.max(1, pages))));
            } else if (kind == 1) {
                nic.channel.trySend(transaction, message, (input[at - bytes - 4] & 0x80) != 0);
            } else {
                nic.channel.write(11, 0, transaction, new byte[0], message);
            }
            nic.channel.flush();
            SwitchPort from = peer;
            if (from != null) {
                from.send(Frames.plain(A, B, "frame"));
            }
            while (nic.channel.tryReceive() != null) {
                // whatever it is
            }
        }
        nic.channel.close();
        now.run();
        now.release(before);
        if (!broken.isEmpty()) {
            throw new AssertionError(broken);
        }
    }
}
