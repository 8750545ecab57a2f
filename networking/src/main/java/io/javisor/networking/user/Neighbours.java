package io.javisor.networking.user;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Where guests are: their MAC addresses by their IP addresses. The one that was used longest ago makes room. For one thread. */
final class Neighbours {
    private static final int MOST = 256;

    private final Map<IpAddress, Long> macs = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<IpAddress, Long> eldest) {
            return size() > MOST;
        }
    };

    /** A guest has spoken. */
    void meet(IpAddress address, long mac) {
        if (Addresses.isGuest(address)) {
            macs.put(address, mac);
        }
    }

    /** Its MAC address; null if nothing has been heard of it. */
    @Nullable
    Long of(IpAddress address) {
        return macs.get(address);
    }
}
