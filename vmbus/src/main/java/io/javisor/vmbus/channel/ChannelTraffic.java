package io.javisor.vmbus.channel;

/**
 * What has gone through a device's channels, open and closed, since its machine's bus was made.
 *
 * @param packetsIn from the guest
 * @param bytesIn bytes of these packets, headers included; data that they only point to is not
 * @param packetsOut to the guest, completions among them
 * @param bytesOut bytes of those
 * @param signalsIn times that the guest's signals were heard; several in quick succession may be heard as one
 * @param signalsOut times that the guest was signalled, each of which may interrupt it
 */
public record ChannelTraffic(
        long packetsIn, long bytesIn, long packetsOut, long bytesOut, long signalsIn, long signalsOut) {
    /** Both together. */
    public ChannelTraffic plus(ChannelTraffic other) {
        return new ChannelTraffic(
                packetsIn + other.packetsIn,
                bytesIn + other.bytesIn,
                packetsOut + other.packetsOut,
                bytesOut + other.bytesOut,
                signalsIn + other.signalsIn,
                signalsOut + other.signalsOut);
    }
}
