package io.javisor.jmh;

/** Machine code written as numbers. */
final class Code {
    private Code() {}

    static byte[] bytes(int... code) {
        byte[] bytes = new byte[code.length];
        for (int i = 0; i < code.length; i++) {
            bytes[i] = (byte) code[i];
        }
        return bytes;
    }
}
