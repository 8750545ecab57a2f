package io.javisor.storage.storvsp;

import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.storage.disk.IoEngine;
import io.javisor.storage.scsi.RemotePort;
import io.javisor.vmbus.channel.Channel;
import io.javisor.vmbus.channel.ChannelHandler;
import io.javisor.vmbus.channel.Packet;
import io.javisor.vmbus.ring.PacketTypes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The protocol on a controller's channels, whatever the targets behind it are.
 *
 * <pre>
 * NEW ─BEGIN_INITIALIZATION─▶ BEGUN ─QUERY_PROTOCOL_VERSION─▶ AGREED ─END_INITIALIZATION─▶ READY
 *                                     QUERY_PROPERTIES, FCHBA_DATA ┘      requests, sub-channels ┘
 * </pre>
 *
 * <p>Channels may be on different reactors: what they share is guarded by this object's monitor, never held while a disk or
 * a channel works.
 */
final class StorageChannels {
    /** Descriptor, page list of a transfer of {@link #TRANSFER_BYTES} in odd pieces, and the request. */
    static final int PACKET_LIMIT = 32 << 10;

    static final int PACKETS_HELD = 512;

    /** Largest transfer that guests are told of. */
    static final int TRANSFER_BYTES = 2 << 20;

    private static final int MOST_SUB_CHANNELS = 255;

    /** How far the guest's driver has got. */
    private enum Phase {
        NEW,
        BEGUN,
        AGREED,
        READY
    }

    /** Finds who answers for an address; null if nobody does. */
    interface Targets {
        @Nullable
        RemotePort find(int path, int target);
    }

    /** Gives the 36 bytes of FCHBA_DATA. */
    interface PortNames {
        byte[] encode();
    }

    private final Executor workers;
    private final @Nullable IoEngine engine;
    private final int subChannels;
    private final Targets targets;
    private final @Nullable PortNames names;

    private Phase phase = Phase.NEW;
    private int version;
    private @Nullable Channel primary;
    private boolean announcePending;
    private int inProgress;
    private final List<Packet> resets = new ArrayList<>();

    /**
     * @param workers run the requests
     * @param subChannels beside the primary channel
     * @param targets who answers
     * @param names of a Fibre Channel adapter, or null for a SCSI controller
     */
    StorageChannels(Executor workers, int subChannels, Targets targets, @Nullable PortNames names) {
        if (subChannels < 0 || subChannels > MOST_SUB_CHANNELS) {
            throw new IllegalArgumentException(subChannels + " sub-channels are not in 0.." + MOST_SUB_CHANNELS);
        }
        this.workers = workers;
        engine = workers instanceof StorageWorkers own ? own.engine() : null;
        this.subChannels = subChannels;
        this.targets = targets;
        this.names = names;
    }

    synchronized ChannelHandler opened(Channel channel) {
        if (channel.subChannelIndex() == 0) {
            phase = Phase.NEW;
            version = 0;
            announcePending = false;
        }
        return restored(channel);
    }

    synchronized ChannelHandler restored(Channel channel) {
        if (channel.subChannelIndex() == 0) {
            primary = channel;
            if (announcePending) {
                channel.reactor().execute(() -> announce(channel));
            }
        }
        return new Handler(channel);
    }

    /** Tells the guest to look for units that came or went. From any thread. */
    void unitsChanged() {
        Channel channel;
        synchronized (this) {
            if (phase != Phase.READY) {
                return; // the guest scans by itself once it is
            }
            announcePending = true;
            channel = primary;
        }
        if (channel != null) {
            try {
                channel.reactor().execute(() -> announce(channel));
            } catch (RejectedExecutionException e) {
                // the machine is being closed
            }
        }
    }

    private void announce(Channel channel) {
        synchronized (this) {
            if (!announcePending || !channel.equals(primary) || !channel.isOpen()) {
                return;
            }
        }
        ByteBuffer packet = ByteBuffer.allocate(packetBytes()).order(ByteOrder.LITTLE_ENDIAN);
        packet.putInt(Protocol.OPERATION, Protocol.ENUMERATE_BUS);
        if (channel.send(0, false, MemorySegment.ofArray(packet.array()))) {
            synchronized (this) {
                announcePending = false;
            }
        }
    }

    private synchronized int packetBytes() {
        return version >= Protocol.VERSION_5_1 ? Protocol.PACKET_BYTES : Protocol.OLD_PACKET_BYTES;
    }

    private final class Handler implements ChannelHandler {
        private final Channel channel;

        Handler(Channel channel) {
            this.channel = channel;
        }

        @Override
        public void received(Packet packet) {
            int type = packet.type();
            if (type != PacketTypes.IN_BAND && type != PacketTypes.GPA_DIRECT) {
                packet.release(); // a completion of what asked for none
                return;
            }
            if (packet.length() < Protocol.OLD_PACKET_BYTES || packet.length() > Protocol.MOST_PACKET_BYTES) {
                channel.fail("a storage packet of " + packet.length() + " bytes");
                packet.release();
                return;
            }
            int operation = packet.getInt(Protocol.OPERATION);
            switch (operation) {
                case Protocol.EXECUTE_SRB -> execute(packet);
                case Protocol.RESET_LUN, Protocol.RESET_ADAPTER, Protocol.RESET_BUS -> reset(packet);
                default -> initialize(operation, packet);
            }
        }

        @Override
        public void writable() {
            announce(channel);
        }

        @Override
        public void closed() {
            synchronized (StorageChannels.this) {
                if (channel.equals(primary)) {
                    primary = null;
                    phase = Phase.NEW;
                }
            }
        }

        private void initialize(int operation, Packet packet) {
            ByteBuffer answer = ByteBuffer.wrap(packet.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
            int status = channel.subChannelIndex() == 0 ? next(operation, answer) : Protocol.STATUS_INVALID_STATE;
            answer.putInt(Protocol.OPERATION, Protocol.COMPLETE_IO);
            answer.putInt(Protocol.STATUS, status);
            packet.complete(MemorySegment.ofArray(answer.array()));
            if (operation == Protocol.CREATE_SUB_CHANNELS && status == Protocol.STATUS_SUCCESS) {
                channel.offerSubChannels(Short.toUnsignedInt(answer.getShort(Protocol.BODY)));
            }
        }
    }

    /** One step of the initialization; fills the answer in and returns its status. */
    @SuppressWarnings("RefactorSwitch") // steps, not an expression
    private synchronized int next(int operation, ByteBuffer packet) {
        switch (operation) {
            case Protocol.BEGIN_INITIALIZATION -> {
                phase = Phase.BEGUN;
                return Protocol.STATUS_SUCCESS;
            }
            case Protocol.QUERY_PROTOCOL_VERSION -> {
                int wanted = Short.toUnsignedInt(packet.getShort(Protocol.BODY));
                if (phase != Phase.BEGUN && phase != Phase.AGREED) {
                    return Protocol.STATUS_INVALID_STATE;
                }
                if (!Protocol.VERSIONS.contains(wanted)) {
                    return Protocol.STATUS_REVISION_MISMATCH;
                }
                version = wanted;
                phase = Phase.AGREED;
                return Protocol.STATUS_SUCCESS;
            }
            case Protocol.QUERY_PROPERTIES -> {
                if (phase.compareTo(Phase.AGREED) < 0) {
                    return Protocol.STATUS_INVALID_STATE;
                }
                boolean many = version >= Protocol.VERSION_5_1 && subChannels > 0;
                packet.putInt(Protocol.BODY, 0);
                packet.putShort(Protocol.BODY + 4, (short) (many ? subChannels : 0));
                packet.putShort(Protocol.BODY + 6, (short) 0);
                packet.putInt(Protocol.BODY + 8, many ? Protocol.PROPERTY_MULTI_CHANNEL : 0);
                packet.putInt(Protocol.BODY + 12, TRANSFER_BYTES);
                packet.putLong(Protocol.BODY + 16, 0);
                return Protocol.STATUS_SUCCESS;
            }
            case Protocol.FCHBA_DATA -> {
                if (names == null || phase.compareTo(Phase.AGREED) < 0) {
                    return Protocol.STATUS_INVALID_STATE;
                }
                packet.put(Protocol.BODY, names.encode());
                return Protocol.STATUS_SUCCESS;
            }
            case Protocol.END_INITIALIZATION -> {
                if (phase != Phase.AGREED) {
                    return Protocol.STATUS_INVALID_STATE;
                }
                phase = Phase.READY;
                return Protocol.STATUS_SUCCESS;
            }
            case Protocol.CREATE_SUB_CHANNELS -> {
                int count = Short.toUnsignedInt(packet.getShort(Protocol.BODY));
                return phase == Phase.READY && count > 0 && count <= subChannels
                        ? Protocol.STATUS_SUCCESS
                        : Protocol.STATUS_INVALID_STATE;
            }
            default -> {
                return Protocol.STATUS_INVALID_STATE;
            }
        }
    }

    private void execute(Packet packet) {
        var request = new ScsiRequest(packet);
        synchronized (this) {
            if (phase == Phase.READY) {
                inProgress++;
            } else {
                request.fail(Protocol.SRB_INVALID_REQUEST);
                return;
            }
        }
        RemotePort port = targets.find(request.u8(Protocol.PATH), request.u8(Protocol.TARGET));
        if (port == null) {
            run(request, null); // waits for no disk; a scan of Fibre Channel asks a thousand targets that are not there
            return;
        }
        long wait = request.pace(port);
        if (wait <= 0) {
            if (request.tryRun(port)) {
                ended();
            } else if (engine == null || !request.begin(port, engine, moved -> ended(request, moved >= 0))) {
                dispatch(request);
            }
        } else {
            long due = System.nanoTime() + wait;
            Thread.ofVirtual().name("storage-pace").start(() -> {
                for (long left; (left = due - System.nanoTime()) > 0; ) {
                    LockSupport.parkNanos(left);
                }
                dispatch(request);
            });
        }
    }

    private void ended(ScsiRequest request, boolean done) {
        if (done) {
            ended();
        } else {
            dispatch(request);
        }
    }

    private void dispatch(ScsiRequest request) {
        try {
            workers.execute(() -> run(request));
        } catch (RejectedExecutionException e) {
            request.fail(Protocol.SRB_ERROR);
            ended();
        }
    }

    private void run(ScsiRequest request) {
        run(request, targets.find(request.u8(Protocol.PATH), request.u8(Protocol.TARGET)));
    }

    private void run(ScsiRequest request, @Nullable RemotePort port) {
        try {
            request.run(port);
        } finally {
            ended();
        }
    }

    private void ended() {
        List<Packet> waiting;
        synchronized (this) {
            if (--inProgress > 0 || resets.isEmpty()) {
                return;
            }
            waiting = List.copyOf(resets);
            resets.clear();
        }
        waiting.forEach(StorageChannels::completeReset);
    }

    /** A reset is answered when no request is in progress: the guest then knows that none will be answered any more. */
    private void reset(Packet packet) {
        synchronized (this) {
            if (inProgress > 0) {
                resets.add(packet);
                return;
            }
        }
        completeReset(packet);
    }

    private static void completeReset(Packet packet) {
        ByteBuffer answer = ByteBuffer.wrap(packet.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
        answer.putInt(Protocol.OPERATION, Protocol.COMPLETE_IO);
        answer.putInt(Protocol.STATUS, Protocol.STATUS_SUCCESS);
        packet.complete(MemorySegment.ofArray(answer.array()));
    }

    synchronized void save(StateWriter out) {
        out.put("phase", phase.name());
        out.put("version", version);
        out.put("announce", announcePending);
    }

    synchronized void restore(StateReader in) {
        String name = in.getString("phase");
        try {
            phase = Phase.valueOf(name);
        } catch (IllegalArgumentException e) {
            throw new StateException("a storage controller in phase " + name);
        }
        version = in.getInt("version", 0, 0xFFFF);
        announcePending = in.getBoolean("announce");
    }
}
