package io.javisor.api;

import io.javisor.vmbus.VmBusListener;
import io.javisor.vmbus.channel.ChannelOffer;
import java.lang.System.Logger.Level;

/** Writes to the log what goes wrong on a machine's VMBus. */
final class BusWatch implements VmBusListener {
    private static final System.Logger LOG = System.getLogger(BusWatch.class.getName());

    private final String machine;

    BusWatch(String machine) {
        this.machine = machine;
    }

    @Override
    public void failed(ChannelOffer offer, int subChannelIndex, String reason) {
        LOG.log(Level.WARNING, "machine \"{0}\": a channel was closed, {1}: {2}", machine, offer, reason);
    }

    @Override
    public void malformed(String reason) {
        LOG.log(Level.DEBUG, "machine \"{0}\": a message on the VMBus was ignored: {1}", machine, reason);
    }
}
