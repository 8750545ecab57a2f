package io.javisor.vmbus.service;

import io.javisor.partition.reactor.Reactor;
import io.javisor.vmbus.channel.Channel;
import io.javisor.vmbus.channel.ChannelHandler;
import io.javisor.vmbus.channel.Packet;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** One open channel of a service. Belongs to the channel's reactor, except where it says otherwise. */
final class IcLink implements ChannelHandler {
    /** A question that waits for its turn or its answer. */
    private static final class Question {
        final byte[] body;
        final Duration limit;
        final CompletableFuture<IcMessage> answer;
        Reactor.@Nullable Timer timer;
        int transaction;

        Question(byte[] body, Duration limit, CompletableFuture<IcMessage> answer) {
            this.body = body;
            this.limit = limit;
            this.answer = answer;
        }
    }

    private final IntegrationService service;
    private final Channel channel;
    private final ArrayDeque<Question> questions = new ArrayDeque<>();
    private volatile boolean ready;
    private volatile IcVersion framework = IcMessage.NO_VERSION;
    private volatile IcVersion version = IcMessage.NO_VERSION;
    private volatile int transaction;
    private @Nullable Question asked; // the one whose answer we wait for
    private byte @Nullable [] unsent; // found no room
    private boolean closed;

    IcLink(IntegrationService service, Channel channel) {
        this.service = service;
        this.channel = channel;
    }

    /** From any thread. */
    Channel channel() {
        return channel;
    }

    /** From any thread. */
    boolean isReady() {
        return ready;
    }

    /** From any thread. */
    IcVersion framework() {
        return framework;
    }

    /** From any thread. */
    IcVersion version() {
        return version;
    }

    /** The transaction that was used last; from any thread. */
    int transaction() {
        return transaction;
    }

    void negotiate() {
        send(IcMessage.negotiate(nextTransaction(), service.frameworks(), service.versions()));
    }

    void restore(boolean wasReady, IcVersion savedFramework, IcVersion savedVersion, int savedTransaction) {
        transaction = savedTransaction;
        framework = savedFramework;
        version = savedVersion;
        if (wasReady) {
            ready = true;
            service.ready(this, true);
        } // else the negotiation, or its answer, is in the ring
    }

    void ask(byte[] body, Duration limit, CompletableFuture<IcMessage> answer) {
        if (closed) {
            answer.completeExceptionally(IntegrationException.closed(service.name()));
            return;
        }
        questions.add(new Question(body, limit, answer));
        next();
    }

    private void next() {
        if (asked == null && !questions.isEmpty() && ready) {
            Question question = questions.remove();
            asked = question;
            question.transaction = nextTransaction();
            question.timer = channel.reactor().schedule(question.limit.toNanos(), () -> timeout(question));
            send(IcMessage.request(framework, version, service.type(), question.transaction, question.body));
        }
    }

    private int nextTransaction() {
        int next = transaction + 1 & 0xFF;
        transaction = next;
        return next;
    }

    private void timeout(Question question) {
        if (question.equals(asked)) {
            asked = null;
            question.answer.completeExceptionally(
                    IntegrationException.timeout(service.name(), question.limit.toMillis()));
            next(); // a late answer has another transaction, and is ignored
        }
    }

    private void send(IcMessage message) {
        byte[] bytes = message.encode();
        if (!channel.send(0, false, MemorySegment.ofArray(bytes))) {
            unsent = bytes;
        }
    }

    @Override
    public void writable() {
        byte[] bytes = unsent;
        if (bytes != null && channel.send(0, false, MemorySegment.ofArray(bytes))) {
            unsent = null;
        }
    }

    @Override
    public void received(Packet packet) {
        byte[] bytes = packet.toByteArray();
        packet.release();
        IcMessage message = IcMessage.decode(bytes);
        if (!message.isResponse()) {
            throw IntegrationException.nonsense(service.name(), "a request from the guest");
        }
        if (message.type() == IcMessage.NEGOTIATE) {
            negotiated(message.chosen());
            return;
        }
        Question question = asked;
        if (question != null && message.type() == service.type() && message.transaction() == question.transaction) {
            asked = null;
            if (question.timer != null) {
                question.timer.cancel();
            }
            question.answer.complete(message);
            next();
        }
    }

    private void negotiated(List<IcVersion> chosen) {
        if (ready
                || chosen.isEmpty()
                || !service.frameworks().contains(chosen.get(0))
                || !service.versions().contains(chosen.get(1))) {
            return; // nothing in common: the service stays unavailable
        }
        framework = chosen.get(0);
        version = chosen.get(1);
        ready = true;
        service.ready(this, false);
    }

    @Override
    public void closed() {
        closed = true;
        ready = false;
        Question waiting = asked;
        asked = null;
        if (waiting != null) {
            questions.addFirst(waiting);
        }
        for (Question question : questions) {
            if (question.timer != null) {
                question.timer.cancel();
            }
            question.answer.completeExceptionally(IntegrationException.closed(service.name()));
        }
        questions.clear();
        service.closed(this);
    }
}
