package io.javisor.networking.netvsp;

import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.FrameBody;
import io.javisor.networking.frame.Segments;
import io.javisor.vmbus.channel.GuestBuffer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Reads the RNDIS packets that a guest sends, which lie in a section of the send buffer, in pages of their own, or begin in the
 * one and end in the other. Headers, those of the frame too, are copied, checked, then used; the rest of a frame stays where it is.
 * For one reactor; allocates nothing.
 */
final class RndisReader implements FrameBody {
    /** The header with all info that any guest sends; longer ones are refused. */
    private static final int MOST_HEADER = 512;

    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private final byte[] header = new byte[MOST_HEADER];
    private final MemorySegment headerSegment = MemorySegment.ofArray(header);
    private final Frame frame = new Frame();

    private @Nullable LentMemory section;
    private long sectionAt;
    private int sectionBytes;
    private @Nullable GuestBuffer pages;
    private int at;
    private int end;

    /** What came of a message. */
    enum Found {
        FRAME,
        /** No more messages. */
        END,
        /** A message that makes no sense: the rest can't be found. */
        NONSENSE
    }

    /** Begins a packet: so many bytes from a place in the send buffer, then the pages. */
    void begin(@Nullable LentMemory sendBuffer, long from, int bytes, GuestBuffer then) {
        section = sendBuffer;
        sectionAt = from;
        sectionBytes = sendBuffer == null ? 0 : bytes;
        pages = then;
        at = 0;
        end = (int) Math.min(Integer.MAX_VALUE, sectionBytes + then.length());
    }

    /** Bytes of the whole packet. */
    int length() {
        return end;
    }

    /** Forgets the guest's memory. */
    void finish() {
        frame.begin(0);
        section = null;
        pages = null;
    }

    /** Copies bytes of the packet, which must have them. */
    @Override
    public void copy(int from, MemorySegment into, long to, int bytes) {
        int done = 0;
        LentMemory first = section;
        if (first != null && from < sectionBytes) {
            done = Math.min(bytes, sectionBytes - from);
            first.read(sectionAt + from, into, to, done);
        }
        GuestBuffer then = pages;
        if (done == bytes || then == null) {
            return;
        }
        long skip = (long) from + done - sectionBytes;
        for (int i = 0; done < bytes; i++) {
            MemorySegment run = then.segment(i);
            long size = run.byteSize();
            if (skip >= size) {
                skip -= size;
                continue;
            }
            int n = (int) Math.min(bytes - done, size - skip);
            MemorySegment.copy(run, ValueLayout.JAVA_BYTE, skip, into, ValueLayout.JAVA_BYTE, to + done, n);
            skip = 0;
            done += n;
        }
    }

    /** Tells where bytes of the packet lie, which must have them. */
    @Override
    public boolean gather(int from, int bytes, Pieces to) {
        int done = 0;
        LentMemory first = section;
        if (first != null && from < sectionBytes) {
            done = Math.min(bytes, sectionBytes - from);
            if (!first.gather(sectionAt + from, done, to)) {
                return false;
            }
        }
        GuestBuffer then = pages;
        if (done == bytes || then == null) {
            return true;
        }
        long skip = (long) from + done - sectionBytes;
        for (int i = 0; done < bytes; i++) {
            MemorySegment run = then.segment(i);
            long size = run.byteSize();
            if (skip >= size) {
                skip -= size;
                continue;
            }
            int n = (int) Math.min(bytes - done, size - skip);
            if (!to.add(run, skip, n)) {
                return false;
            }
            skip = 0;
            done += n;
        }
        return true;
    }

    /** The frame of the last message. */
    Frame frame() {
        return frame;
    }

    private int u32(int offset) {
        return (int) INT.get(header, offset);
    }

    /** Reads the next message. */
    Found next() {
        int left = end - at;
        if (left < Rndis.PACKET_HEADER) {
            return left < 8 ? Found.END : Found.NONSENSE;
        }
        copy(at, headerSegment, 0, Rndis.PACKET_HEADER);
        int length = u32(4);
        int dataAt = u32(8);
        int dataBytes = u32(12);
        int infoAt = u32(28);
        int infoBytes = u32(32);
        if (u32(0) != Rndis.PACKET || length < Rndis.PACKET_HEADER || length > left) {
            return Found.NONSENSE;
        }
        int body = length - Rndis.BASE;
        if (dataAt < 0 || dataBytes < 0 || dataAt > body || dataBytes > body - dataAt || dataBytes > Frame.MOST_BYTES) {
            return Found.NONSENSE;
        }
        if (infoBytes != 0
                && (infoAt < 0
                        || infoBytes < 0
                        || infoBytes > MOST_HEADER
                        || infoAt > body
                        || infoBytes > body - infoAt)) {
            return Found.NONSENSE;
        }
        frame.begin(dataBytes, this, at + Rndis.BASE + dataAt);
        int start = at;
        at += length;
        if (!frame.parse()) {
            return Found.NONSENSE;
        }
        return infoBytes == 0 || applyInfo(start + Rndis.BASE + infoAt, infoBytes) ? Found.FRAME : Found.NONSENSE;
    }

    private boolean applyInfo(int from, int bytes) {
        copy(from, headerSegment, 0, bytes);
        for (int p = 0; bytes - p >= Rndis.INFO_HEADER; ) {
            int size = u32(p);
            int offset = u32(p + 8);
            if (size < Rndis.INFO_HEADER || size > bytes - p) {
                return false;
            }
            if (offset >= Rndis.INFO_HEADER && offset <= size - 4) {
                apply(u32(p + 4), u32(p + offset));
            }
            p += size;
        }
        return true;
    }

    private void apply(int kind, int value) {
        switch (kind) {
            case Rndis.INFO_VLAN -> frame.setVlan(value >>> 4 & 0xFFF, value & 7);
            case Rndis.INFO_CHECKSUM -> {
                boolean tcp = (value & Rndis.CHECKSUM_TCP) != 0 && frame.protocol() == Frame.TCP;
                boolean udp = (value & Rndis.CHECKSUM_UDP) != 0 && frame.protocol() == Frame.UDP;
                if ((tcp || udp) && frame.transport() != 0 && !frame.isFragment()) {
                    Checksums.open(frame);
                }
                if ((value & Rndis.CHECKSUM_IPV4_HEADER) != 0
                        && frame.etherType() == Frame.IPV4
                        && frame.protocol() != 0) {
                    Checksums.setIpv4Header(frame);
                }
            }
            case Rndis.INFO_LARGE_SEND -> {
                frame.setMss(value & 0xF_FFFF);
                if (Segments.canCut(frame)) {
                    Segments.setLengths(frame);
                } else {
                    frame.setMss(0); // then it is larger than anybody takes, and is dropped for that
                }
            }
            default -> {}
        }
    }
}
