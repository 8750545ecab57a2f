package io.javisor.vmbus.protocol;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;

/** Any bytes as a control message, either way. Run it by itself: one target fuzzes per JVM. */
@Tag("fuzz")
class MessageFuzzTest {
    @FuzzTest(maxDuration = "5m")
    void decode(byte[] data) {
        try {
            GuestMessage message = GuestMessage.decode(data);
            byte[] encoded = message.encode();
            // What was understood is said the same way again, however much padding came with it.
            if (!GuestMessage.decode(encoded).equals(message) || encoded.length > GuestMessage.MAX_BYTES) {
                throw new AssertionError(message + " of " + Arrays.toString(data));
            }
        } catch (MalformedMessageException e) {
            // refused
        }
        try {
            HostMessage.decode(data);
        } catch (MalformedMessageException e) {
            // refused
        }
        GuestMessage.endsConnection(data);
    }
}
