package io.javisor.vmbus.guest;

import io.javisor.vmbus.protocol.Wire;
import io.javisor.vmbus.ring.PacketTypes;
import java.nio.ByteBuffer;

/**
 * A packet that the guest received, copied.
 *
 * @param type VM_PKT_*
 * @param completionRequested whether the host wants a completion
 * @param transactionId its ID
 * @param header bytes between the descriptor and the payload
 * @param payload bytes, padded to a multiple of 8
 */
@SuppressWarnings("ArrayRecordComponent") // test values, owned by whoever received them
public record GuestPacket(int type, boolean completionRequested, long transactionId, byte[] header, byte[] payload) {

    /** Whether it answers a packet of the guest. */
    public boolean isCompletion() {
        return type == PacketTypes.COMPLETION;
    }

    /** The payload, little-endian. */
    public ByteBuffer buffer() {
        return Wire.buffer(payload);
    }
}
