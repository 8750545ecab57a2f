package io.javisor.memory.balloon;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** The fuzz target on seeded input that is a conversation to begin with, so that it gets far. */
class HostileGuestTest {
    private static final byte[] OPENING = {
        4 + (4 << 3), // a message of 16 bytes
        1,
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        0,
        0,
        2,
        0,
        0,
        0,
        0,
        0, // version 2.0
        4 + (12 << 3), // a message of 32 bytes
        3,
        0,
        0,
        0,
        2,
        0,
        0,
        0,
        0x1F,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        -1,
        -1,
        -1,
        -1,
        -1,
        -1,
        -1,
        -1
    };

    @Test
    void flippedConversationsKeepTheBooks() {
        Random random = new Random(6);
        for (int round = 0; round < 200_000; round++) {
            byte[] data = new byte[OPENING.length + 200];
            System.arraycopy(OPENING, 0, data, 0, OPENING.length);
            int at = OPENING.length;
            while (at < data.length - 60) {
                int kind = random.nextInt(4);
                data[at++] = (byte) (kind < 3 ? kind | random.nextInt(31) << 3 : 4 | 8 << 3); // 24 bytes
                if (kind == 3) {
                    int type = random.nextInt(8) == 0 ? random.nextInt(16) : new int[] {5, 7, 9, 11}[random.nextInt(4)];
                    data[at] = (byte) type;
                    if (type == 7) {
                        data[at + 12] = (byte) (random.nextInt(2) | 2);
                        data[at + 16] = (byte) random.nextInt(20);
                        data[at + 17] = (byte) random.nextInt(17);
                        data[at + 21] = (byte) random.nextInt(9);
                    } else if (type == 11) {
                        data[at + 9] = (byte) random.nextInt(3);
                        data[at + 12] = (byte) random.nextInt(2);
                    }
                    at += 24;
                }
            }
            for (int flips = random.nextInt(3); flips > 0; flips--) {
                data[random.nextInt(data.length)] ^= (byte) (1 << random.nextInt(8));
            }
            BalloonFuzzTest.run(data);
        }
    }
}
