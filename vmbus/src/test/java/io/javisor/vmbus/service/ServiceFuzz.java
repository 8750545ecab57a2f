package io.javisor.vmbus.service;

import io.javisor.vmbus.StubChannel;
import io.javisor.vmbus.StubPacket;
import io.javisor.vmbus.channel.ChannelHandler;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** What the fuzz targets of the services share: a guest that answers with flipped bits. */
final class ServiceFuzz {
    private static final int MAX_PACKETS = 64;

    private ServiceFuzz() {}

    /**
     * Opens the service, asks it, and answers every packet with what {@link GuestUtilities} would say, flipped by the input:
     * two bytes of place, one of flips, until a place of 0xFFFF. Every question must come to an end, and no answer throw
     * anything but an IntegrationException.
     */
    static <S extends IntegrationService> void run(
            byte[] data, S service, Function<S, List<? extends CompletableFuture<?>>> ask) {
        StubChannel channel = new StubChannel();
        ChannelHandler handler = service.opened(channel);
        int at = 0;
        List<? extends CompletableFuture<?>> answers = List.of();
        boolean broken = false;
        for (int i = 0; i < MAX_PACKETS && !broken; i++) {
            channel.manual.run();
            byte[] request = channel.sent.poll();
            if (request == null) {
                if (!answers.isEmpty() || !service.isReady()) {
                    break;
                }
                answers = ask.apply(service);
                continue;
            }
            byte[] answer = answer(request);
            while (at + 2 < data.length) {
                int place = (data[at] & 0xFF) << 8 | (data[at + 1] & 0xFF);
                byte flips = data[at + 2];
                at += 3;
                if (place == 0xFFFF) {
                    break;
                }
                if (place >= 0xF000) {
                    answer = java.util.Arrays.copyOf(answer, place & 0xFFF); // cut or stretched
                } else if (answer.length > 0) {
                    answer[place % answer.length] ^= flips;
                }
            }
            StubPacket packet = new StubPacket(answer);
            try {
                handler.received(packet);
            } catch (IntegrationException e) {
                broken = true; // the bus would close the channel
            }
            if (!packet.isFinished()) {
                throw new AssertionError("a packet was kept");
            }
        }
        handler.closed();
        channel.manual.advance(java.time.Duration.ofMinutes(20));
        for (CompletableFuture<?> answer : answers) {
            if (!answer.isDone()) {
                throw new AssertionError("a question without an end");
            }
            if (answer.isCompletedExceptionally() && !(answer.exceptionNow() instanceof IntegrationException)) {
                throw new AssertionError(answer.exceptionNow());
            }
        }
        if (service.isReady()) {
            throw new AssertionError("ready without a channel");
        }
    }

    /** Takes the first version of each list, or echoes the question as the answer. */
    private static byte[] answer(byte[] request) {
        byte[] answer = request.clone();
        answer[25] = IcMessage.FLAG_TRANSACTION | IcMessage.FLAG_RESPONSE;
        if (request[12] == IcMessage.NEGOTIATE) {
            int frameworks = request[28];
            int versions = request[30];
            answer[28] = 1;
            answer[30] = 1;
            System.arraycopy(request, 36 + 4 * (frameworks - 1), answer, 36, 4);
            System.arraycopy(request, 36 + 4 * (frameworks + versions - 1), answer, 40, 4);
        }
        return answer;
    }
}
