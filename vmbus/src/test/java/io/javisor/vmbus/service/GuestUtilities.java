package io.javisor.vmbus.service;

import io.javisor.vmbus.guest.GuestChannel;
import io.javisor.vmbus.guest.GuestPacket;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.Octets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** The guest's driver of one integration service: answers like Linux, in the same packet. */
final class GuestUtilities {
    final TestGuest guest;
    final GuestChannel channel;
    final List<IcMessage> requests = new ArrayList<>();
    Function<IcMessage, IcMessage> answer = m -> m;
    boolean silent;

    GuestUtilities(TestGuest guest, IntegrationService service) {
        this.guest = guest;
        channel = guest.open(service.offer(), 5, 5);
    }

    /** Answers what is there; returns how many. */
    int work() {
        int count = 0;
        while (!silent) {
            GuestPacket packet = channel.tryReceive();
            if (packet == null) {
                return count;
            }
            count++;
            IcMessage request = IcMessage.decode(packet.payload());
            IcMessage reply = request.type() == IcMessage.NEGOTIATE ? negotiate(request) : answer.apply(request);
            requests.add(request);
            channel.send(packet.transactionId(), respond(reply).encode(), false);
        }
        return count;
    }

    /** Linux takes the newest it knows of each list. */
    private static IcMessage negotiate(IcMessage request) {
        byte[] body = request.body().toByteArray();
        int frameworks = body[0];
        int versions = body[2];
        byte[] reply = new byte[16];
        reply[0] = 1;
        reply[2] = 1;
        System.arraycopy(body, 8 + 4 * (frameworks - 1), reply, 8, 4);
        System.arraycopy(body, 8 + 4 * (frameworks + versions - 1), reply, 12, 4);
        return with(request, 0, reply);
    }

    static IcMessage with(IcMessage m, int status, byte[] body) {
        return new IcMessage(m.framework(), m.type(), m.version(), status, m.transaction(), m.flags(), Octets.of(body));
    }

    private static IcMessage respond(IcMessage m) {
        return new IcMessage(
                m.framework(),
                m.type(),
                m.version(),
                m.status(),
                m.transaction(),
                IcMessage.FLAG_TRANSACTION | IcMessage.FLAG_RESPONSE,
                m.body());
    }
}
