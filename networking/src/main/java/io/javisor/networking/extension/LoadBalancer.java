package io.javisor.networking.extension;

import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.vswitch.Extensions;
import io.javisor.networking.vswitch.SwitchPort;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Spreads the connections to one address over the stations of several ports, which all have that address: the cluster's MAC
 * address stands for all of them, and each connection stays with one of them. Which one is a matter of a ring of hashes, so
 * that one that comes or goes moves only its own share. Answers go straight back. As network load balancing has it, the stations'
 * adapters bear the cluster's IP address, and its MAC address on the outside: ports allow MAC spoofing, or stations answer from
 * their own address and only ARP names the cluster's.
 *
 * <p>A station that is not healthy gets no connections, and those that it had move on. Safe from any thread.
 */
public final class LoadBalancer implements Extensions.Forwarding, AutoCloseable {
    /** Places of a station on the ring: enough for shares that differ by some percent. */
    private static final int PLACES = 160;

    private final long clusterMac;
    private final ConcurrentHashMap<SwitchPort, Boolean> members = new ConcurrentHashMap<>();
    private volatile Ring ring = new Ring(List.of());
    private volatile @Nullable Thread checker;

    /** Immutable: sorted hashes, and whose they are. */
    private static final class Ring {
        final long[] hashes;
        final SwitchPort[] owners;

        Ring(List<SwitchPort> healthy) {
            record Place(long hash, SwitchPort owner) {}
            var places = new ArrayList<Place>();
            for (SwitchPort port : healthy) {
                long seed = mix(port.toString().hashCode() * 0x1_0000_0001L);
                for (int i = 0; i < PLACES; i++) {
                    seed = mix(seed + 0x9E37_79B9_7F4A_7C15L);
                    places.add(new Place(seed, port));
                }
            }
            places.sort((x, y) -> Long.compare(x.hash, y.hash));
            hashes = places.stream().mapToLong(Place::hash).toArray();
            owners = places.stream().map(Place::owner).toArray(SwitchPort[]::new);
        }

        @Nullable
        SwitchPort at(long hash) {
            if (hashes.length == 0) {
                return null;
            }
            int found = Arrays.binarySearch(hashes, hash);
            int i = found >= 0 ? found : ~found;
            return owners[i == hashes.length ? 0 : i];
        }
    }

    /** A balancer for a cluster's address. */
    public LoadBalancer(MacAddress cluster) {
        clusterMac = cluster.value();
    }

    private static long mix(long value) {
        long mixed = (value ^ value >>> 33) * 0xFF51_AFD7_ED55_8CCDL;
        mixed = (mixed ^ mixed >>> 33) * 0xC4CE_B9FE_1A85_EC53L;
        return mixed ^ mixed >>> 33;
    }

    /** Adds a station, which is healthy until something else is said. */
    public LoadBalancer add(SwitchPort port) {
        members.put(port, true);
        rearrange();
        return this;
    }

    /** Takes a station out. */
    public void remove(SwitchPort port) {
        members.remove(port);
        rearrange();
    }

    /** Says whether a station can work. */
    public void setHealthy(SwitchPort port, boolean healthy) {
        if (members.replace(port, healthy) != null) {
            rearrange();
        }
    }

    /** The stations that can work. */
    public List<SwitchPort> healthy() {
        return members.entrySet().stream()
                .filter(e -> e.getValue())
                .map(e -> e.getKey())
                .toList();
    }

    private synchronized void rearrange() {
        ring = new Ring(healthy());
    }

    /** Asks again and again whether the stations can work, until it is closed. A question that throws counts as no. */
    public synchronized void check(Duration every, Predicate<SwitchPort> question) {
        Thread before = checker;
        if (before != null) {
            before.interrupt();
        }
        checker = Thread.ofVirtual().name("load-balancer-check").start(() -> {
            try {
                while (!Thread.currentThread().isInterrupted()) {
                    for (SwitchPort port : members.keySet()) {
                        boolean fine;
                        try {
                            fine = question.test(port);
                        } catch (RuntimeException e) {
                            fine = false;
                        }
                        if (!Boolean.valueOf(fine).equals(members.get(port))) {
                            setHealthy(port, fine);
                        }
                    }
                    Thread.sleep(every);
                }
            } catch (InterruptedException e) {
                // closed
            }
        });
    }

    @Override
    public boolean forward(Frame frame, SwitchPort from, int vlan, Extensions.Output out) {
        if (frame.destination() != clusterMac || members.containsKey(from)) {
            return false;
        }
        SwitchPort chosen = ring.at(hash(frame));
        if (chosen != null) {
            out.to(chosen);
        }
        return true; // nobody is healthy: to nobody
    }

    /** By the source's address, and by ports if it is TCP or UDP that is not in fragments. */
    private static long hash(Frame frame) {
        long hash = 0;
        if (frame.protocol() != 0 && frame.etherType() == Frame.IPV4) {
            hash = mix(frame.getInt(Frame.HEADER + 12));
        } else if (frame.protocol() != 0) {
            hash = mix(frame.getLong(Frame.HEADER + 8) + mix(frame.getLong(Frame.HEADER + 16)));
        } else {
            hash = mix(frame.source());
        }
        if (!frame.isFragment() && frame.sourcePort() != 0) {
            hash = mix(hash + frame.getInt(frame.transport()));
        }
        return hash;
    }

    /** Ends the checks. */
    @Override
    public void close() {
        Thread asking = checker;
        if (asking != null) {
            asking.interrupt();
        }
    }
}
