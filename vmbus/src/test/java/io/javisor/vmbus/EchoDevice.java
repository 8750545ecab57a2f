package io.javisor.vmbus;

import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.vmbus.channel.Channel;
import io.javisor.vmbus.channel.ChannelDevice;
import io.javisor.vmbus.channel.ChannelHandler;
import io.javisor.vmbus.channel.ChannelOffer;
import io.javisor.vmbus.channel.ChannelRefusedException;
import io.javisor.vmbus.channel.Packet;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Completes every packet with its own payload, at once or when told. */
final class EchoDevice implements ChannelDevice {
    static final UUID TYPE = UUID.fromString("6f7ac7ac-0000-4d9e-b1f6-3f2f3f2f0001");

    final ChannelOffer offer;
    final List<Channel> channels = new ArrayList<>();
    final ArrayDeque<Packet> heldPackets = new ArrayDeque<>();
    final List<Integer> released = new ArrayList<>();
    boolean hold;
    boolean refuse;
    boolean greet;

    @Nullable
    RuntimeException failWith;

    int maxHeld = 32;
    int closed;
    int batches;
    int writable;
    long received;

    EchoDevice(int number) {
        offer = ChannelOffer.of(TYPE, new UUID(TYPE.getMostSignificantBits(), number));
    }

    @Override
    public ChannelOffer offer() {
        return offer;
    }

    @Override
    public int maxPacketBytes() {
        return 4096;
    }

    @Override
    public int maxPacketsHeld() {
        return maxHeld;
    }

    @Override
    public ChannelHandler opened(Channel channel) {
        if (refuse) {
            throw new ChannelRefusedException("not now");
        }
        channels.add(channel);
        if (greet) {
            channel.send(99, false, MemorySegment.ofArray(new byte[8]));
        }
        return new ChannelHandler() {
            @Override
            public void received(Packet packet) {
                received++;
                if (failWith != null) {
                    throw failWith;
                }
                if (hold) {
                    heldPackets.add(packet);
                } else {
                    packet.complete(packet.payload());
                }
            }

            @Override
            public void batchReceived() {
                batches++;
            }

            @Override
            public void writable() {
                writable++;
            }

            @Override
            public void gpadlReleased(int gpadl) {
                released.add(gpadl);
            }

            @Override
            public void closed() {
                closed++;
                channels.remove(channel);
            }
        };
    }

    void finishOne() {
        Packet packet = heldPackets.remove();
        packet.complete(MemorySegment.ofArray(packet.toByteArray()));
    }

    @Override
    public ChannelHandler restored(Channel channel) {
        return opened(channel);
    }

    @Override
    public String stateName() {
        return "echo" + offer.instance();
    }

    @Override
    public int stateVersion() {
        return 1;
    }

    @Override
    public void save(StateWriter out) {
        out.put("received", received);
    }

    @Override
    public void restore(StateReader in) {
        in.requireVersion(1);
        received = in.getLong("received");
    }
}
