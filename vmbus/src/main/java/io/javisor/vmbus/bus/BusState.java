package io.javisor.vmbus.bus;

import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.vmbus.channel.ChannelDevice;
import io.javisor.vmbus.protocol.GuestMessage;
import io.javisor.vmbus.server.VmBusServer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** How queued messages and devices are written down. */
final class BusState {
    private static final int MAX_MESSAGES = MessageQueues.MAX_IN + MessageQueues.MAX_OUT + 2 * VmBusServer.MAX_CHANNELS;

    private BusState() {}

    static void saveMessages(StateWriter out, String name, List<byte[]> messages) {
        StateWriter inner = new StateWriter().put("count", messages.size());
        for (int i = 0; i < messages.size(); i++) {
            inner.put("m" + i, messages.get(i));
        }
        out.put("messages." + name, inner);
    }

    static List<byte[]> messages(StateReader in, String name) {
        StateReader inner = in.getInner("messages." + name);
        List<byte[]> messages = new ArrayList<>();
        for (int i = 0; i < inner.getInt("count", 0, MAX_MESSAGES); i++) {
            byte[] message = inner.getBytes("m" + i);
            if (message.length > GuestMessage.MAX_BYTES) {
                throw new StateException("vmbus message of " + message.length + " bytes");
            }
            messages.add(message);
        }
        return messages;
    }

    static void saveDevices(StateWriter out, Collection<ChannelDevice> devices) {
        for (ChannelDevice device : devices) {
            StateWriter inner = new StateWriter();
            device.save(inner);
            out.put("version." + device.stateName(), device.stateVersion());
            out.put("device." + device.stateName(), inner);
        }
    }

    static void restoreDevices(StateReader in, Collection<ChannelDevice> devices) {
        for (ChannelDevice device : devices) {
            String name = device.stateName();
            if (in.has("device." + name)) {
                int version = in.getInt("version." + name, 1, Integer.MAX_VALUE);
                device.restore(new StateReader(name, version, in.getBytes("device." + name)));
            }
        }
    }
}
