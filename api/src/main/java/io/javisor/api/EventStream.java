package io.javisor.api;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Brings events to listeners, in order, on a virtual thread that exists only while there is something to bring. */
final class EventStream implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(EventStream.class.getName());

    private final List<Consumer<MachineEvent>> listeners = new CopyOnWriteArrayList<>();
    private final ExecutorService courier;

    EventStream() {
        var one = new ThreadPoolExecutor(
                1,
                1,
                0,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                Thread.ofVirtual().factory());
        one.setKeepAliveTime(1, TimeUnit.MILLISECONDS);
        one.allowCoreThreadTimeOut(true);
        courier = one;
    }

    void add(Consumer<MachineEvent> listener) {
        listeners.add(listener);
    }

    void publish(MachineEvent event) {
        if (!listeners.isEmpty() && !courier.isShutdown()) {
            courier.execute(() -> listeners.forEach(listener -> deliver(listener, event)));
        }
    }

    private static void deliver(Consumer<MachineEvent> listener, MachineEvent event) {
        try {
            listener.accept(event);
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "a listener failed on " + event, e);
        }
    }

    @Override
    public void close() {
        courier.shutdown();
    }
}
