package io.javisor.networking.user;

import com.code_intelligence.jazzer.junit.FuzzTest;
import org.junit.jupiter.api.Tag;

/** A client's messages, as the input says. */
@Tag("fuzz")
class DhcpFuzz {
    private final DhcpServer server = new DhcpServer(1500);

    @FuzzTest(maxDuration = "5m")
    void messages(byte[] input) {
        byte[] answer = server.answer(input);
        if (answer != null && answer.length != 300) {
            throw new AssertionError(answer.length + " bytes");
        }
    }
}
