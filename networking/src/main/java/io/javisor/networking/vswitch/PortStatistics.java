package io.javisor.networking.vswitch;

import java.util.Map;

/**
 * What went through a port since it was made.
 *
 * @param framesFromStation frames that the station sent, dropped ones too
 * @param bytesFromStation their bytes
 * @param framesToStation frames that the station was given; a large one counts once
 * @param bytesToStation their bytes
 * @param dropped frames that were dropped on the way in or out, by reason
 * @param metered bytes that the rules of the access list that meter have counted, by rule, in the list's order
 */
public record PortStatistics(
        long framesFromStation,
        long bytesFromStation,
        long framesToStation,
        long bytesToStation,
        Map<Drop, Long> dropped,
        Map<AccessRule, Long> metered) {}
