package io.javisor.vmbus.channel;

import io.javisor.vmbus.protocol.GuestMessage;
import io.javisor.vmbus.protocol.HostMessage;
import io.javisor.vmbus.protocol.Octets;
import java.util.UUID;

/**
 * What a device says of itself on the bus.
 *
 * @param interfaceType the kind of device, by which the guest finds its driver
 * @param instance this one; unique on its bus among offers of its kind, and the same after every restart
 * @param flags FLAG_* of {@link HostMessage}
 * @param mmioMegabytes memory-mapped I/O space that it wants, 0 to 65,535 MiB
 * @param userData at most 120 bytes for the driver
 */
public record ChannelOffer(UUID interfaceType, UUID instance, int flags, int mmioMegabytes, Octets userData) {

    /** Checks the ranges. */
    public ChannelOffer {
        if ((flags | mmioMegabytes) >>> 16 != 0 || userData.size() > GuestMessage.USER_BYTES) {
            throw new IllegalArgumentException("offer with flags " + flags + ", " + mmioMegabytes + " MiB and "
                    + userData.size() + " bytes of user data");
        }
    }

    /** An offer that is enumerated as a device and has nothing special. */
    public static ChannelOffer of(UUID interfaceType, UUID instance) {
        return new ChannelOffer(interfaceType, instance, HostMessage.FLAG_ENUMERATE, 0, Octets.EMPTY);
    }

    /** An offer of a pipe in message mode: packets begin with a pipe header (VMBUS_PIPE_TYPE_MESSAGE). */
    public static ChannelOffer pipe(UUID interfaceType, UUID instance) {
        return new ChannelOffer(
                interfaceType,
                instance,
                HostMessage.FLAG_ENUMERATE | HostMessage.FLAG_NAMED_PIPE,
                0,
                Octets.of((byte) 4, (byte) 0, (byte) 0, (byte) 0));
    }
}
