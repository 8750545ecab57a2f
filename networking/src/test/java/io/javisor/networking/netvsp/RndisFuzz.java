package io.javisor.networking.netvsp;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.Frames;
import io.javisor.networking.vswitch.PortSettings;
import io.javisor.networking.vswitch.Station;
import io.javisor.networking.vswitch.SwitchPort;
import io.javisor.networking.vswitch.VirtualSwitch;
import java.net.InetAddress;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;

/** RNDIS packets of a guest, as the input says, and on through a switch with all its guards. */
@Tag("fuzz")
class RndisFuzz {
    private final VirtualSwitch net = new VirtualSwitch("fuzz", VirtualSwitch.AGE, () -> 0);
    private final SwitchPort port = net.connect(
            "guest", PortSettings.guest(Frames.A).addresses(InetAddress.ofLiteral("10.0.0.1")), frame -> {});
    private final SwitchPort open = net.connect("open", PortSettings.uplink(), frame -> {});
    private final RndisReader reader = new RndisReader();

    /** Lengths that can't be are an error; they would be written past the end of a guest's buffer. */
    private static final class Wire implements Station {
        @Override
        public void receive(Frame frame) {
            if (frame.mss() != 0 || frame.length() < 14 || frame.length() > Frame.MOST_BYTES || frame.openChecksum()) {
                throw new AssertionError(frame.length() + " bytes, MSS " + frame.mss());
            }
        }
    }

    RndisFuzz() {
        net.connect("wire", PortSettings.uplink(), new Wire());
    }

    @FuzzTest(maxDuration = "5m")
    void packets(byte[] input) {
        if (input.length < 3) {
            return;
        }
        int inSection = Math.min(input[0] & 0xFF, input.length - 3);
        byte[] first = Arrays.copyOfRange(input, 3, 3 + inSection);
        byte[] rest = Arrays.copyOfRange(input, 3 + inSection, input.length);
        var section = new LentMemory(new HeapPages(first, 1 + (input[1] & 0x7F)));
        reader.begin(section, 0, inSection, new HeapPages(rest, 1 + (input[2] & 0x7F)));
        int frames = 0;
        while (reader.next() == RndisReader.Found.FRAME) {
            if (++frames > input.length) {
                throw new AssertionError("no end");
            }
            Frame copy = new Frame();
            copy.copyOf(reader.frame());
            port.send(reader.frame());
            open.send(copy);
        }
        reader.finish();
    }
}
