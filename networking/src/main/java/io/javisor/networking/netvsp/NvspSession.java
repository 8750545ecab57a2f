package io.javisor.networking.netvsp;

import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.vmbus.channel.Channel;
import io.javisor.vmbus.channel.ChannelRefusedException;
import io.javisor.vmbus.channel.Packet;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * How far the guest's driver has got with the protocol, and the buffers that it lent. Messages come on the primary channel's
 * reactor; the buffers may be read from any thread.
 */
final class NvspSession {
    private static final int DEFAULT_FRAME_BYTES = 1514;

    /** A VLAN tag, the RNDIS header and its five kinds of info, rounded up. */
    private static final int OVERHEAD = 4 + 200;

    private static final int LEAST_SECTION_BYTES = 1728; // Linux's own
    private static final int MOST_FRAME_BYTES = 65_535 + 14;

    private final int subChannels;
    private final Runnable receiveBufferGone;
    private int version;
    private int frameBytes = DEFAULT_FRAME_BYTES;
    private volatile @Nullable ReceiveBuffer receive;
    private volatile @Nullable LentMemory send;
    private int sendGpadl;

    /**
     * @param receiveBufferGone called when the guest's receive buffer may not be written any more, before the guest is told
     */
    NvspSession(int subChannels, Runnable receiveBufferGone) {
        this.subChannels = subChannels;
        this.receiveBufferGone = receiveBufferGone;
    }

    void reset() {
        version = 0;
        frameBytes = DEFAULT_FRAME_BYTES;
        dropReceiveBuffer();
        send = null;
    }

    private void dropReceiveBuffer() {
        receive = null;
        receiveBufferGone.run();
    }

    @Nullable
    ReceiveBuffer receiveBuffer() {
        return receive;
    }

    @Nullable
    LentMemory sendBuffer() {
        return send;
    }

    void gpadlReleased(int gpadl) {
        ReceiveBuffer buffer = receive;
        if (buffer != null && buffer.gpadl() == gpadl) {
            dropReceiveBuffer();
        }
        if (send != null && sendGpadl == gpadl) {
            send = null;
        }
    }

    private static ByteBuffer message(int type) {
        return ByteBuffer.allocate(Nvsp.MESSAGE_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0, type);
    }

    /**
     * One message that is not an RNDIS packet.
     *
     * @param packet with the message; its fields that are not there make it throw
     * @return the answer, or null if there is none
     */
    @SuppressWarnings("RefactorSwitch") // steps, not an expression
    @Nullable
    ByteBuffer answer(Channel channel, Packet packet) {
        int type = packet.getInt(0);
        if (version == 0 && type != Nvsp.INIT) {
            throw new ChannelRefusedException("NVSP message " + type + " before a version was agreed");
        }
        switch (type) {
            case Nvsp.INIT -> {
                int wanted = packet.getInt(8);
                boolean known = Nvsp.VERSIONS.contains(wanted) && packet.getInt(4) == wanted;
                if (known) {
                    version = wanted;
                }
                return message(Nvsp.INIT_COMPLETE)
                        .putInt(4, known ? wanted : Nvsp.VERSION_6_1)
                        .putInt(8, 34)
                        .putInt(12, known ? Nvsp.STATUS_SUCCESS : Nvsp.STATUS_UNSUPPORTED);
            }
            case Nvsp.NDIS_CONFIG -> {
                int wanted = packet.getInt(4);
                if (wanted >= 64 && wanted <= MOST_FRAME_BYTES) {
                    frameBytes = wanted;
                }
                return null;
            }
            case Nvsp.RECEIVE_BUFFER -> {
                return receiveBuffer(channel, packet.getInt(4), packet.getShort(8));
            }
            case Nvsp.SEND_BUFFER -> {
                sendGpadl = packet.getInt(4);
                send = new LentMemory(channel.gpadl(sendGpadl));
                return message(Nvsp.SEND_BUFFER_COMPLETE)
                        .putInt(4, Nvsp.STATUS_SUCCESS)
                        .putInt(8, Nvsp.SEND_SECTION_BYTES);
            }
            case Nvsp.REVOKE_RECEIVE_BUFFER -> {
                dropReceiveBuffer();
                return null;
            }
            case Nvsp.REVOKE_SEND_BUFFER -> {
                send = null;
                return null;
            }
            case Nvsp.SUB_CHANNELS -> {
                int count = packet.getInt(8);
                boolean possible = version >= Nvsp.VERSION_5
                        && packet.getInt(4) == Nvsp.ALLOCATE_SUB_CHANNELS
                        && count > 0
                        && count <= subChannels;
                return message(Nvsp.SUB_CHANNELS)
                        .putInt(4, possible ? Nvsp.STATUS_SUCCESS : Nvsp.STATUS_FAIL)
                        .putInt(8, possible ? count : 0);
            }
            default -> { // the NDIS version, the path over a virtual function, and what nobody needs here
                return null;
            }
        }
    }

    private ByteBuffer receiveBuffer(Channel channel, int gpadl, int id) {
        ByteBuffer answer = message(Nvsp.RECEIVE_BUFFER_COMPLETE);
        int section = Math.max(LEAST_SECTION_BYTES, frameBytes + OVERHEAD + 63 & ~63);
        var memory = new LentMemory(channel.gpadl(gpadl));
        if (receive != null || memory.length() < section) {
            return answer.putInt(4, Nvsp.STATUS_FAIL);
        }
        var buffer = new ReceiveBuffer(memory, gpadl, id, section);
        receive = buffer;
        return answer.putInt(4, Nvsp.STATUS_SUCCESS)
                .putInt(8, 1)
                .putInt(12, 0)
                .putInt(16, section)
                .putInt(20, buffer.count())
                .putInt(24, section * buffer.count());
    }

    void save(StateWriter out) {
        out.put("version", version);
        out.put("frameBytes", frameBytes);
        ReceiveBuffer buffer = receive;
        if (buffer != null) {
            var inner = new StateWriter();
            buffer.save(inner);
            out.put("receive", inner);
        }
        if (send != null) {
            out.put("sendGpadl", sendGpadl & 0xFFFF_FFFFL);
        }
    }

    void restore(StateReader in) {
        version = in.getInt("version", 0, Nvsp.VERSION_6_1);
        frameBytes = in.getInt("frameBytes", 64, MOST_FRAME_BYTES);
    }

    /** Finds the buffers again, once the primary channel is there. */
    void restoreBuffers(StateReader in, Channel channel) {
        if (in.has("receive")) {
            StateReader inner = in.getInner("receive");
            int gpadl = (int) inner.getLong("gpadl");
            int section = inner.getInt("sectionBytes", 64, MOST_FRAME_BYTES + 2 * OVERHEAD);
            var buffer = new ReceiveBuffer(
                    new LentMemory(channel.gpadl(gpadl)), gpadl, inner.getInt("id", 0, 0xFFFF), section);
            buffer.restore(inner, subChannels + 1);
            receive = buffer;
        }
        if (in.has("sendGpadl")) {
            sendGpadl = (int) in.getLong("sendGpadl");
            send = new LentMemory(channel.gpadl(sendGpadl));
        }
    }
}
