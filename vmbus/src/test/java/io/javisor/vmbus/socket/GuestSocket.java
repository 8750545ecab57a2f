package io.javisor.vmbus.socket;

import io.javisor.vmbus.guest.GuestChannel;
import io.javisor.vmbus.guest.GuestPacket;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.GuestMessage;
import io.javisor.vmbus.protocol.HostMessage;
import io.javisor.vmbus.protocol.Wire;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** The guest's end of a socket. */
final class GuestSocket {
    static final int CHUNK = 4_088; // as Linux cuts its writes

    final TestGuest guest;
    final GuestChannel channel;
    final ByteArrayOutputStream received = new ByteArrayOutputStream();
    boolean ended;

    GuestSocket(TestGuest guest, HostMessage.OfferChannel offer) {
        this.guest = guest;
        channel = guest.open(offer, 7, 7, 0);
    }

    /** A program in the guest connects; null if the host refuses. */
    static @Nullable GuestSocket connect(TestGuest guest, int fromPort, int toPort) {
        var endpoint = ServicePort.guid(fromPort);
        guest.post(new GuestMessage.TlConnectRequest(endpoint, ServicePort.guid(toPort)));
        if (guest.take(HostMessage.TlConnectResult.class, m -> m.guestEndpoint().equals(endpoint)) != null) {
            return null;
        }
        return new GuestSocket(
                guest,
                guest.expect(HostMessage.OfferChannel.class, o -> o.instance().equals(endpoint)));
    }

    boolean trySend(byte[] bytes, int at, int length) {
        ByteBuffer packet =
                Wire.buffer(new byte[8 + length]).putInt(1).putInt(length).put(bytes, at, length);
        if (!channel.trySend(0, Wire.bytes(packet), false)) {
            return false;
        }
        channel.flush();
        return true;
    }

    void end() {
        if (!trySend(new byte[0], 0, 0)) {
            throw new IllegalStateException("full");
        }
    }

    /** Takes what is there; returns whether anything was. */
    boolean receive() {
        boolean any = false;
        GuestPacket packet;
        while ((packet = channel.tryReceive()) != null) {
            any = true;
            ByteBuffer in = packet.buffer();
            int type = in.getInt();
            int length = in.getInt();
            if (type != 1 || length > SocketEnd.MTU || length > in.remaining() || ended) {
                throw new IllegalStateException("type " + type + ", " + length + " bytes, ended " + ended);
            }
            if (length == 0) {
                ended = true;
            }
            received.write(packet.payload(), 8, length);
        }
        return any;
    }

    /** As Linux when the socket is destroyed after the rescind. */
    void release() {
        channel.close();
        guest.post(new GuestMessage.RelIdReleased(channel.relId()));
        guest.run();
    }
}
