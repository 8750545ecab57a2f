package io.javisor.vmbus;

import io.javisor.vmbus.channel.Channel;
import io.javisor.vmbus.channel.ChannelRefusedException;
import io.javisor.vmbus.channel.GuestBuffer;
import io.javisor.vmbus.guest.ManualReactor;
import io.javisor.vmbus.protocol.Octets;
import io.javisor.vmbus.protocol.VmBusVersion;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;

/** A channel without a bus, for tests that call a handler themselves. */
public final class StubChannel implements Channel {
    public final ManualReactor manual = new ManualReactor();
    public final ArrayDeque<byte[]> sent = new ArrayDeque<>();

    @Override
    public ManualReactor reactor() {
        return manual;
    }

    @Override
    public VmBusVersion version() {
        return VmBusVersion.V5_3;
    }

    @Override
    public int subChannelIndex() {
        return 0;
    }

    @Override
    public int targetVp() {
        return 0;
    }

    @Override
    public Octets userData() {
        return Octets.EMPTY;
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public boolean isPaused() {
        return false;
    }

    @Override
    public boolean send(long transactionId, boolean completionRequested, MemorySegment payload) {
        sent.add(payload.toArray(ValueLayout.JAVA_BYTE));
        return true;
    }

    @Override
    public boolean sendTransferPages(long transactionId, int pageSet, int[] ranges, int count, MemorySegment payload) {
        return send(transactionId, true, payload);
    }

    @Override
    public int maxPayload() {
        return 8_192;
    }

    @Override
    public boolean isDrained() {
        return true;
    }

    @Override
    public GuestBuffer gpadl(int gpadl) {
        throw new ChannelRefusedException("none");
    }

    @Override
    public void offerSubChannels(int count) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void fail(String reason) {
        throw new UnsupportedOperationException(reason);
    }
}
