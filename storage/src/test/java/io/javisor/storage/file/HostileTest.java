package io.javisor.storage.file;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Seeded damage, a little of it every time; the fuzz targets do more. */
class HostileTest {
    private static final long[] NUMBERS = {
        0,
        1,
        -1,
        7,
        512,
        4096,
        1 << 20,
        6 << 20,
        1L << 31,
        1L << 32,
        1L << 46,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        64L << 40
    };

    private static byte[] input(Random random) {
        var out = java.nio.ByteBuffer.allocate(512);
        out.put((byte) random.nextInt()).put((byte) (random.nextInt(5) == 0 ? random.nextInt() : random.nextInt(4)));
        int damages = 1 + random.nextInt(4);
        for (int i = 0; i < damages; i++) {
            out.putShort((short) random.nextInt());
            if (random.nextBoolean()) {
                byte[] noise = new byte[1 + random.nextInt(8)];
                random.nextBytes(noise);
                out.put((byte) noise.length).put(noise);
            } else {
                long number = NUMBERS[random.nextInt(NUMBERS.length)] + random.nextInt(3) - 1;
                out.put((byte) 8).putLong(random.nextBoolean() ? number : Long.reverseBytes(number));
            }
        }
        return java.util.Arrays.copyOf(out.array(), out.position());
    }

    @Test
    @Timeout(value = 120, unit = TimeUnit.SECONDS)
    void damagedVhdxFilesAreRefusedOrServed() {
        Hostile hostile = Hostile.vhdx();
        for (int seed = 0; seed < 1500; seed++) {
            attack(hostile, seed);
        }
    }

    @Test
    @Timeout(value = 120, unit = TimeUnit.SECONDS)
    void damagedVhdFilesAreRefusedOrServed() {
        Hostile hostile = Hostile.vhd();
        for (int seed = 0; seed < 1500; seed++) {
            attack(hostile, seed);
        }
    }

    /** A file without a log, whose header nevertheless says where it is: far outside. */
    @Test
    void aLogOfNoBytesMayBeAnywhere() {
        Hostile.vhdx()
                .attack(HexFormat.of()
                        .parseHex("066037c67e0000000000c62d8989200000020000000000000000000000000000c62d8989200000020000"
                                + "0000000000000000000000000000000000"));
    }

    private static void attack(Hostile hostile, int seed) {
        byte[] input = input(new Random(seed));
        try {
            hostile.attack(input);
        } catch (RuntimeException | Error e) {
            throw new AssertionError("seed " + seed, e);
        }
        assertThat(input).isNotEmpty();
    }
}
