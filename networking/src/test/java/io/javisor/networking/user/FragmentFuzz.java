package io.javisor.networking.user;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.javisor.networking.frame.Frame;
import java.util.Arrays;
import java.util.BitSet;
import org.junit.jupiter.api.Tag;

/**
 * Fragments of one packet, as the input says: for each of them version, offset, length, whether more come, and what it is filled with.
 * Beside stands a model that knows who wrote which byte: a whole packet has each byte from exactly one fragment.
 *
 * <pre>
 * 0 version and whether it is the last   1 offset in 8 bytes   3 length   5 IPv4 options
 * </pre>
 */
@Tag("fuzz")
class FragmentFuzz {
    private static final int STEP = 6;
    private static final int MOST = 64;

    @FuzzTest(maxDuration = "5m")
    void fragments(byte[] input) {
        var reassembly = new Reassembly();
        var written = new byte[2][];
        written[0] = new byte[1 << 17];
        written[1] = new byte[1 << 17];
        BitSet[] known = {new BitSet(), new BitSet()};
        boolean[] spoilt = new boolean[2];
        for (int i = 0; i + STEP <= input.length && i < MOST * STEP; i += STEP) {
            boolean ipv6 = (input[i] & 1) != 0;
            int which = ipv6 ? 1 : 0;
            int offset = ((input[i + 1] & 0x1F) << 8 | input[i + 2] & 0xFF) * 8;
            int length = (input[i + 3] & 0xFF) << 8 | input[i + 4] & 0xFF;
            int options = ipv6 ? 0 : (input[i + 5] & 0xF) % 11 * 4;
            boolean more = (input[i] & 2) == 0;
            int said = length + (ipv6 ? 8 : 20 + options); // in a field of 16 bits
            if (length == 0
                    || Math.max(said, offset + length) > 65_535
                    || (more && length % 8 != 0)
                    || (offset == 0 && !more)) {
                continue; // dropped by itself, or no fragment
            }
            Frame frame = frame(ipv6, offset, length, more, options, (byte) (i / STEP + 1));
            int before = known[which].nextSetBit(offset);
            spoilt[which] |= before >= 0 && before < offset + length;
            known[which].set(offset, offset + length);
            Arrays.fill(written[which], offset, offset + length, (byte) (i / STEP + 1));
            Frame whole = reassembly.add(frame, 0);
            if (reassembly.waiting() > Reassembly.MOST_PACKETS) {
                throw new AssertionError(reassembly.waiting() + " packets");
            }
            if (whole != null) {
                check(whole, ipv6, written[which], spoilt[which]);
                return;
            }
        }
    }

    private static void check(Frame whole, boolean ipv6, byte[] written, boolean spoilt) {
        int header = ipv6 ? 54 : 14 + (whole.getByte(14) & 0xF) * 4;
        int said = ipv6 ? 54 + whole.getShort(18) : 14 + whole.getShort(16);
        if (whole.isFragment() || said != whole.length() || spoilt) {
            throw new AssertionError(whole.length() + " bytes, " + said + " said, overlaps: " + spoilt);
        }
        int wrong = Arrays.mismatch(whole.bytes(), header, whole.length(), written, 0, whole.length() - header);
        if (wrong >= 0) {
            throw new AssertionError("byte " + wrong);
        }
    }

    private static Frame frame(boolean ipv6, int offset, int length, boolean more, int options, byte fill) {
        int header = ipv6 ? 62 : 34 + options;
        var frame = new Frame(header + length);
        frame.begin(header + length);
        Arrays.fill(frame.bytes(), header, header + length, fill);
        frame.putShort(12, ipv6 ? Frame.IPV6 : Frame.IPV4);
        if (ipv6) {
            frame.putInt(14, 6 << 28);
            frame.putShort(18, 8 + length);
            frame.putByte(20, 44);
            frame.putByte(54, Frame.ICMPV6);
            frame.putShort(56, offset | (more ? 1 : 0));
        } else {
            frame.putByte(14, 0x45 + options / 4);
            frame.putShort(16, 20 + options + length);
            frame.putShort(20, offset >> 3 | (more ? 0x2000 : 0));
            frame.putByte(23, Frame.ICMP);
        }
        frame.parse();
        return frame;
    }
}
