package io.javisor.vmbus.bus;

import io.javisor.partition.reactor.Reactor;
import io.javisor.vmbus.channel.ChannelTraffic;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The counters of a bus, one for each device and reactor: as many as the host has devices, whatever the guest opens and closes. Safe
 * from any thread.
 */
final class BusTraffic {
    /** All sockets are counted as one device: a guest makes as many as it likes, one after the other. */
    private static final String SOCKETS = "sockets";

    private final Map<String, Map<Reactor, TrafficCounter>> counters = new ConcurrentHashMap<>();

    TrafficCounter ofDevice(String name, Reactor reactor) {
        return counters.computeIfAbsent(name, n -> new ConcurrentHashMap<>())
                .computeIfAbsent(reactor, r -> new TrafficCounter());
    }

    TrafficCounter ofSockets(Reactor reactor) {
        return ofDevice(SOCKETS, reactor);
    }

    Map<String, ChannelTraffic> now() {
        var all = new TreeMap<String, ChannelTraffic>();
        counters.forEach(
                (name, each) -> each.values().forEach(counter -> all.merge(name, counter.now(), ChannelTraffic::plus)));
        return all;
    }
}
