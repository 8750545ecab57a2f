package io.javisor.networking.user;

import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import java.util.function.Consumer;

/** Cuts UDP packets of the gateway's that are larger than the guests' links into fragments (RFC 791, RFC 8200). For one thread. */
final class Fragments {
    private static final int FRAGMENT_HEADER = 8;
    private static final int NEXT_IS_FRAGMENT = 44;
    private static final int MORE4 = 0x2000;

    private final Frame piece = new Frame();
    private int identification;

    /**
     * Gives the fragments of a packet, or the packet itself if it fits.
     *
     * @param whole an IP packet without options, with its checksum open
     * @param mtu bytes of an IP packet that fit
     */
    void cut(Frame whole, int mtu, Consumer<Frame> to) {
        if (whole.length() - Frame.HEADER <= mtu) {
            to.accept(whole);
            return;
        }
        Checksums.close(whole);
        boolean ipv6 = whole.etherType() == Frame.IPV6;
        int header = whole.transport();
        int total = whole.length() - header;
        int own = ipv6 ? FRAGMENT_HEADER : 0;
        int most = mtu - (header - Frame.HEADER) - own & ~7;
        identification++;
        for (int done = 0; done < total; done += most) {
            int n = Math.min(most, total - done);
            System.arraycopy(whole.bytes(), 0, piece.bytes(), 0, header);
            System.arraycopy(whole.bytes(), header + done, piece.bytes(), header + own, n);
            piece.begin(header + own + n);
            boolean more = done + n < total;
            if (ipv6) {
                piece.putShort(Frame.HEADER + 4, own + n);
                piece.putByte(Frame.HEADER + 6, NEXT_IS_FRAGMENT);
                piece.putShort(header, Frame.UDP << 8);
                piece.putShort(header + 2, done | (more ? 1 : 0)); // units of 8 bytes, shifted by 3
                piece.putInt(header + 4, identification);
            } else {
                piece.putShort(Frame.HEADER + 2, header - Frame.HEADER + n);
                piece.putShort(Frame.HEADER + 4, identification);
                piece.putShort(Frame.HEADER + 6, done >> 3 | (more ? MORE4 : 0));
                Checksums.setIpv4Header(piece);
            }
            piece.parse();
            to.accept(piece);
        }
    }
}
