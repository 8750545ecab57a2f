package io.javisor.networking.frame;

import java.util.function.Consumer;

/** Cuts TCP packets that are larger than what may go on a wire (large send offload, LSO). For one thread; allocates nothing. */
public final class Segments {
    private static final int FIN = 0x01;
    private static final int PUSH = 0x08;
    private static final int CONGESTION_REDUCED = 0x80;

    private final Frame piece = new Frame();

    /**
     * Whether a frame's lengths and headers allow that it is cut as it asks.
     *
     * @return false if its {@link Frame#mss} makes no sense
     */
    public static boolean canCut(Frame frame) {
        return frame.protocol() == Frame.TCP
                && frame.transport() != 0
                && !frame.isFragment()
                && frame.mss() > 0
                && (frame.length() - frame.payload() + frame.mss() - 1) / frame.mss() <= 1 << 16;
    }

    /**
     * Gives the pieces, each with its checksum open, or the frame itself if it is no larger than one. Their content stays where the
     * frame has it, until somebody wants it.
     *
     * @param frame that {@linkplain #canCut can be cut}
     * @param to takes each piece for the length of the call
     */
    public void cut(Frame frame, Consumer<? super Frame> to) {
        int mss = frame.mss();
        int header = frame.payload();
        int total = frame.length() - header;
        int transport = frame.transport();
        int sequence = frame.getInt(transport + 4);
        int flags = frame.getByte(transport + 13);
        int identification = frame.getShort(Frame.HEADER + 4);
        boolean four = frame.etherType() == Frame.IPV4;
        int done = 0;
        for (int number = 0; done < total || number == 0; number++) {
            int n = Math.min(mss, total - done);
            boolean last = done + n == total;
            piece.piece(frame, header, header + done, n);
            piece.setVlan(frame.vlan(), frame.priority());
            if (four) {
                piece.putShort(Frame.HEADER + 2, header + n - Frame.HEADER);
                piece.putShort(Frame.HEADER + 4, identification + number);
            } else {
                piece.putShort(Frame.HEADER + 4, header + n - Frame.HEADER - 40);
            }
            piece.parse();
            piece.putInt(transport + 4, sequence + done);
            int mine = last ? flags : flags & ~(FIN | PUSH);
            piece.putByte(transport + 13, number == 0 ? mine : mine & ~CONGESTION_REDUCED);
            if (four) {
                Checksums.setIpv4Header(piece);
            }
            Checksums.open(piece);
            to.accept(piece);
            done += n;
        }
    }

    /** Writes the lengths of the whole into the headers, as senders leave them out of what is to be cut, and opens the checksum. */
    public static void setLengths(Frame frame) {
        if (frame.etherType() == Frame.IPV4) {
            frame.putShort(Frame.HEADER + 2, frame.length() - Frame.HEADER);
            Checksums.setIpv4Header(frame);
        } else {
            frame.putShort(Frame.HEADER + 4, frame.length() - Frame.HEADER - 40);
        }
        Checksums.open(frame);
    }
}
