package io.javisor.api.management;

import java.util.Map;

/**
 * What a network adapter has done; zeroes while it is plugged into nothing.
 *
 * @param number of the adapter
 * @param framesFromGuest frames, dropped ones too
 * @param bytesFromGuest their bytes
 * @param framesToGuest frames
 * @param bytesToGuest their bytes
 * @param dropped frames, by reason: names of {@link io.javisor.networking.vswitch.Drop}
 */
public record AdapterUse(
        int number,
        long framesFromGuest,
        long bytesFromGuest,
        long framesToGuest,
        long bytesToGuest,
        Map<String, Long> dropped) {}
