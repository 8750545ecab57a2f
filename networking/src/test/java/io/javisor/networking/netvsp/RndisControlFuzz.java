package io.javisor.networking.netvsp;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.javisor.networking.frame.Frames;
import io.javisor.networking.frame.MacAddress;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;

/** RNDIS requests, as the input says: each begins with its length. What they set can be saved and restored. */
@Tag("fuzz")
class RndisControlFuzz implements RndisControl.Traits {
    @Override
    public MacAddress mac() {
        return Frames.A;
    }

    @Override
    public boolean changeMac(MacAddress mac) {
        return !mac.isMulticast();
    }

    @Override
    public int mtu() {
        return 1500;
    }

    @Override
    public boolean isConnected() {
        return true;
    }

    @Override
    public int queues() {
        return 4;
    }

    @FuzzTest(maxDuration = "5m")
    void requests(byte[] input) {
        var control = new RndisControl(this);
        for (int at = 0; at + 2 < input.length; ) {
            int length = Math.min(((input[at] & 0xFF) << 8 | input[at + 1] & 0xFF) % 1024, input.length - at - 2);
            at += 2;
            byte[] request = Arrays.copyOfRange(input, at, at + length);
            at += length;
            byte[] answer = control.answer(ByteBuffer.wrap(request).order(ByteOrder.LITTLE_ENDIAN));
            if (answer != null
                    && ByteBuffer.wrap(answer).order(ByteOrder.LITTLE_ENDIAN).getInt(4) != answer.length) {
                throw new AssertionError("an answer of a wrong length");
            }
        }
        var out = new StateWriter();
        control.save(out);
        new RndisControl(this).restore(new StateReader("control", 1, out.toByteArray()));
    }
}
