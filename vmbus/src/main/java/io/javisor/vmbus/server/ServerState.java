package io.javisor.vmbus.server;

import io.javisor.partition.GuestAddressException;
import io.javisor.partition.GuestMemory;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.vmbus.channel.ChannelOffer;
import io.javisor.vmbus.protocol.Octets;
import io.javisor.vmbus.protocol.Wire;
import io.javisor.vmbus.ring.PageRuns;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** How the state machine's channels and GPADLs are written down and read back. */
final class ServerState {
    private ServerState() {}

    static void save(StateWriter to, Collection<ServerChannel> channels, GpadlTable gpadls) {
        int n = 0;
        for (ServerChannel channel : channels) {
            StateWriter one = new StateWriter()
                    .put("relId", channel.relId)
                    .put("offer", offerBytes(channel.offer))
                    .put("subChannel", channel.subChannelIndex)
                    .put("transient", channel.transientOffer)
                    .put("offered", channel.offered)
                    .put("rescinded", channel.rescinded)
                    .put("open", channel.state == ServerChannel.State.OPEN)
                    .put("openId", channel.openId)
                    .put("ringGpadl", channel.ringGpadl)
                    .put("downstreamPage", channel.downstreamPage)
                    .put("targetVp", channel.targetVp)
                    .put("userData", channel.userData.toByteArray());
            to.put("channel" + n++, one);
        }
        to.put("channels", n);
        n = 0;
        for (Gpadl gpadl : gpadls.all()) {
            to.put(
                    "gpadl" + n++,
                    gpadl(gpadl.relId(), gpadl.id(), gpadl.words())
                            .put("ranges", gpadl.ranges().size())
                            .put("leaving", gpadls.isLeaving(gpadl.relId(), gpadl.id())));
        }
        to.put("gpadls", n);
        n = 0;
        for (Gpadl.Incomplete gpadl : gpadls.allIncomplete()) {
            to.put(
                    "incomplete" + n++,
                    gpadl(gpadl.relId, gpadl.id, gpadl.words())
                            .put("ranges", gpadl.rangeCount)
                            .put("total", gpadl.total));
        }
        to.put("incompletes", n);
    }

    private static StateWriter gpadl(int relId, int id, long[] words) {
        ByteBuffer bytes = Wire.buffer(new byte[8 * words.length]);
        for (long word : words) {
            bytes.putLong(word);
        }
        return new StateWriter().put("relId", relId).put("id", id).put("words", Wire.bytes(bytes));
    }

    static void restore(
            StateReader from,
            Map<Integer, ServerChannel> channels,
            GpadlTable gpadls,
            GuestMemory memory,
            int vcpus,
            Consumer<Action> out) {
        List<ServerChannel> devices = new ArrayList<>(channels.values());
        channels.clear();
        List<ServerChannel> open = new ArrayList<>();
        for (int i = 0; i < from.getInt("channels", 0, VmBusServer.MAX_CHANNELS); i++) {
            StateReader one = from.getInner("channel" + i);
            ServerChannel channel = channel(one, devices, vcpus);
            if (channels.put(channel.relId, channel) != null) {
                throw new StateException("vmbus.channel" + i + ".relId: given twice");
            }
            if (one.getBoolean("open")) {
                open.add(channel);
            }
        }
        for (ServerChannel fresh : devices) { // offered now, not when it was saved
            int relId = 1;
            while (channels.containsKey(relId)) {
                relId++;
            }
            channels.put(relId, new ServerChannel(fresh.offer, 0, relId, fresh.transientOffer));
        }
        for (ServerChannel channel : channels.values()) {
            out.accept(new Action.Offered(channel.relId, channel.offer, channel.subChannelIndex));
        }
        restoreGpadls(from, channels, gpadls, memory, out);
        for (ServerChannel channel : open) {
            if (!channel.ghost) {
                reopen(channel, gpadls, out);
            }
        }
    }

    private static ServerChannel channel(StateReader one, List<ServerChannel> devices, int vcpus) {
        ChannelOffer offer = offer(one.getBytes("offer"));
        int sub = one.getInt("subChannel", 0, 0xFFFF);
        boolean brief = one.getBoolean("transient");
        ServerChannel channel = new ServerChannel(offer, sub, one.getInt("relId", 1, VmBusServer.MAX_CHANNELS), brief);
        channel.offered = one.getBoolean("offered");
        channel.rescinded = one.getBoolean("rescinded");
        channel.openId = (int) one.getLong("openId");
        channel.ringGpadl = (int) one.getLong("ringGpadl");
        channel.downstreamPage = one.getInt("downstreamPage", 0, Integer.MAX_VALUE);
        channel.targetVp = one.getInt("targetVp", 0, vcpus - 1);
        channel.userData = Octets.of(one.getBytes("userData"));
        if (sub == 0 && !channel.rescinded) {
            // A device that is not there any more, or a socket, whose host side is gone.
            channel.ghost = brief || !devices.removeIf(d -> d.offer.equals(offer));
        }
        return channel;
    }

    private static void restoreGpadls(
            StateReader from,
            Map<Integer, ServerChannel> channels,
            GpadlTable gpadls,
            GuestMemory memory,
            Consumer<Action> out) {
        for (int i = 0; i < from.getInt("gpadls", 0, GpadlTable.MAX_COUNT); i++) {
            StateReader one = from.getInner("gpadl" + i);
            long[] words = words(one);
            int relId = known(one, channels);
            if (!gpadls.hasRoom(words.length)) {
                throw new StateException("vmbus.gpadl" + i + ": too many words");
            }
            try {
                Gpadl gpadl =
                        Gpadl.resolve(memory, relId, (int) one.getLong("id"), words, one.getInt("ranges", 1, 0xFFFF));
                gpadls.add(gpadl);
                out.accept(new Action.AddGpadl(gpadl));
                if (one.getBoolean("leaving")) {
                    gpadls.leave(relId, gpadl.id());
                }
            } catch (GuestAddressException | IllegalArgumentException e) {
                throw new StateException("vmbus.gpadl" + i + ": " + e.getMessage());
            }
        }
        for (int i = 0; i < from.getInt("incompletes", 0, GpadlTable.MAX_INCOMPLETE); i++) {
            StateReader one = from.getInner("incomplete" + i);
            int total = one.getInt("total", 1, 0xFFFF / 8);
            Gpadl.Incomplete gpadl = new Gpadl.Incomplete(
                    known(one, channels), (int) one.getLong("id"), one.getInt("ranges", 0, 0xFFFF), total);
            List<Long> words = new ArrayList<>();
            for (long word : words(one)) {
                words.add(word);
            }
            if (!gpadls.hasRoom(total) || !gpadl.add(words)) {
                throw new StateException("vmbus.incomplete" + i + ": too many words");
            }
            gpadls.begin(gpadl);
        }
    }

    private static void reopen(ServerChannel channel, GpadlTable gpadls, Consumer<Action> out) {
        Gpadl ring = gpadls.get(channel.relId, channel.ringGpadl);
        int page = channel.downstreamPage;
        if (ring == null
                || !ring.isRing()
                || page < 2
                || page > ring.ranges().getFirst().length() / PageRuns.PAGE - 2) {
            throw new StateException("vmbus channel " + channel.relId + ": open without rings");
        }
        channel.state = ServerChannel.State.OPEN;
        out.accept(new Action.Reopen(
                new Action.Open(channel.relId, ring.ranges().getFirst(), page, channel.targetVp, channel.userData)));
    }

    private static int known(StateReader one, Map<Integer, ServerChannel> channels) {
        int relId = one.getInt("relId", 1, VmBusServer.MAX_CHANNELS);
        if (!channels.containsKey(relId)) {
            throw new StateException("vmbus GPADL of channel " + relId + ", which does not exist");
        }
        return relId;
    }

    private static long[] words(StateReader one) {
        ByteBuffer bytes = Wire.buffer(one.getBytes("words"));
        if (bytes.remaining() % 8 != 0 || bytes.remaining() > 0xFFFF) {
            throw new StateException("vmbus GPADL of " + bytes.remaining() + " bytes");
        }
        long[] words = new long[bytes.remaining() / 8];
        bytes.asLongBuffer().get(words);
        return words;
    }

    private static byte[] offerBytes(ChannelOffer offer) {
        ByteBuffer bytes =
                Wire.buffer(new byte[2 * Wire.GUID_BYTES + 8 + offer.userData().size()]);
        Wire.putGuid(bytes, offer.interfaceType());
        Wire.putGuid(bytes, offer.instance());
        bytes.putInt(offer.flags())
                .putInt(offer.mmioMegabytes())
                .put(offer.userData().toByteArray());
        return Wire.bytes(bytes);
    }

    private static ChannelOffer offer(byte[] saved) {
        if (saved.length < 2 * Wire.GUID_BYTES + 8) {
            throw new StateException("vmbus offer of " + saved.length + " bytes");
        }
        ByteBuffer bytes = Wire.buffer(saved);
        var type = Wire.getGuid(bytes);
        var instance = Wire.getGuid(bytes);
        int flags = bytes.getInt();
        int mmio = bytes.getInt();
        byte[] user = new byte[bytes.remaining()];
        bytes.get(user);
        try {
            return new ChannelOffer(type, instance, flags, mmio, Octets.of(user));
        } catch (IllegalArgumentException e) {
            throw new StateException("vmbus offer: " + e.getMessage());
        }
    }
}
