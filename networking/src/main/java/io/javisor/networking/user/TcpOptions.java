package io.javisor.networking.user;

import io.javisor.networking.frame.Frame;

/**
 * What a guest's SYN offers (RFC 9293, RFC 7323).
 *
 * @param mss bytes of payload of the largest segment that it takes
 * @param scale by how many bits its windows are shifted; −1 if it does not shift any
 */
record TcpOptions(int mss, int scale) {
    /** What holds for who says nothing. */
    private static final int DEFAULT_MSS = 536;

    private static final int LEAST_MSS = 64;
    private static final int MOST_SCALE = 14;

    static TcpOptions of(Frame syn) {
        int mss = DEFAULT_MSS;
        int scale = -1;
        for (int at = syn.transport() + 20; at < syn.payload(); ) {
            int kind = syn.getByte(at);
            if (kind == 0) {
                break;
            }
            if (kind == 1) {
                at++;
                continue;
            }
            int length = at + 1 < syn.payload() ? syn.getByte(at + 1) : 0;
            if (length < 2 || at + length > syn.payload()) {
                break;
            }
            if (kind == 2 && length == 4) {
                mss = Math.max(LEAST_MSS, syn.getShort(at + 2));
            } else if (kind == 3 && length == 3) {
                scale = Math.min(MOST_SCALE, syn.getByte(at + 2));
            }
            at += length;
        }
        return new TcpOptions(mss, scale);
    }
}
