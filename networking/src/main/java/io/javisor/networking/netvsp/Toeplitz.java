package io.javisor.networking.netvsp;

import io.javisor.networking.frame.Frame;

/**
 * The hash of receive-side scaling, by which packets of one connection reach one queue (NDIS_HASH_FUNC_TOEPLITZ), over tables
 * made from the key. Immutable; allocates nothing.
 */
final class Toeplitz {
    /** Bytes of the key. */
    static final int KEY_BYTES = 40;

    private static final int MOST_INPUT = 36; // two IPv6 addresses and two ports

    private final byte[] key;
    private final int[][] tables = new int[MOST_INPUT][256];

    Toeplitz(byte[] key) {
        this.key = key.clone();
        for (int at = 0; at < MOST_INPUT; at++) {
            for (int value = 0; value < 256; value++) {
                int hash = 0;
                for (int bit = 0; bit < 8; bit++) {
                    if ((value & 0x80 >>> bit) != 0) {
                        hash ^= window(8 * at + bit);
                    }
                }
                tables[at][value] = hash;
            }
        }
    }

    /** 32 bits of the key, from a bit on. */
    private int window(int bit) {
        long bits = 0;
        for (int i = 0; i < 5; i++) {
            bits = bits << 8 | key[bit / 8 + i] & 0xFF;
        }
        return (int) (bits >>> 8 - bit % 8);
    }

    byte[] key() {
        return key.clone();
    }

    /** The hash of an IP packet; 0 for other frames. With ports if it is TCP, whole and not a fragment. */
    int hash(Frame frame) {
        int from;
        int bytes;
        if (frame.protocol() == 0) {
            return 0;
        } else if (frame.etherType() == Frame.IPV4) {
            from = Frame.HEADER + 12;
            bytes = 8;
        } else {
            from = Frame.HEADER + 8;
            bytes = 32;
        }
        int hash = 0;
        int at = 0;
        for (; at < bytes; at++) {
            hash ^= tables[at][frame.getByte(from + at)];
        }
        if (frame.protocol() == Frame.TCP && frame.transport() != 0 && !frame.isFragment()) {
            for (int i = 0; i < 4; i++) {
                hash ^= tables[at + i][frame.getByte(frame.transport() + i)];
            }
        }
        return hash;
    }
}
