package io.javisor.storage.storvsp;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.vmbus.guest.GuestChannel;
import io.javisor.vmbus.guest.GuestPacket;
import io.javisor.vmbus.guest.GuestRange;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.VmBusVersion;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A guest's driver of a Fibre Channel adapter, in as many words as Linux's storvsc needs. */
final class FibreChannelGuest {
    static final int SUCCESS = 1;
    static final int ERROR = 4;
    static final int INVALID_LUN = 0x20;

    final TestGuest guest;
    private final FibreChannelAdapter adapter;
    private final long page;
    private @Nullable GuestChannel channel;
    private ByteBuffer names = ByteBuffer.allocate(0);
    private long transaction = 1;

    FibreChannelGuest(TestGuest guest, FibreChannelAdapter adapter) {
        this.guest = guest;
        this.adapter = adapter;
        page = guest.allocate(4096);
        guest.bus().add(adapter);
    }

    /** What came of a command. */
    record Answer(int srb, int scsi, boolean saysSense, int key, int code, byte[] data) {}

    void boot() {
        guest.connect(VmBusVersion.V5_3);
        open();
    }

    void open() {
        channel = guest.open(adapter.offer(), 16, 16);
        for (int operation : new int[] {7, 9, 10, 12, 8}) {
            ByteBuffer packet = packet(operation);
            if (operation == 9) {
                packet.putShort(12, (short) 0x0602);
            }
            long id = transaction++;
            channel().send(id, bytes(packet), true);
            ByteBuffer answer = channel().receive().buffer();
            assertThat(answer.getInt(8)).as("operation %d", operation).isZero();
            if (operation == 12) {
                names = answer;
            }
        }
    }

    GuestChannel channel() {
        return Objects.requireNonNull(channel, "booted");
    }

    private static ByteBuffer packet(int operation) {
        return ByteBuffer.allocate(64)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0, operation)
                .putInt(4, 1);
    }

    private static byte[] bytes(ByteBuffer packet) {
        byte[] all = new byte[packet.capacity()];
        packet.get(0, all);
        return all;
    }

    boolean firstSetActive() {
        return names.get(12) == 1;
    }

    /** A name of FCHBA_DATA: port and node of the first set, port and node of the second. */
    long name(int which) {
        return names.order(ByteOrder.BIG_ENDIAN).getLong(16 + 8 * which);
    }

    /** Sends a command that reads up to 4 KiB. */
    Answer command(int path, int target, int lun, String cdb, int room) {
        return command(path, target, lun, HexFormat.of().parseHex(cdb.replace(" ", "")), 1, room, new byte[0]);
    }

    Answer ready(int target, int lun) {
        return command(0, target, lun, "000000000000", 0);
    }

    Answer command(int path, int target, int lun, byte[] cdb, int direction, int length, byte[] out) {
        guest.memory().write(page, new byte[4096]);
        guest.memory().write(page, out);
        ByteBuffer packet = packet(3)
                .putShort(12, (short) 52)
                .put(17, (byte) path)
                .put(18, (byte) target)
                .put(19, (byte) lun)
                .put(20, (byte) cdb.length)
                .put(21, (byte) 20)
                .put(22, (byte) direction)
                .putInt(24, length)
                .put(28, cdb);
        long id = transaction++;
        channel().sendGpaDirect(id, bytes(packet), List.of(GuestRange.of(page, 4096)));
        GuestPacket answer;
        do {
            answer = channel().receive();
        } while (!answer.isCompletion()); // ENUMERATE_BUS may come at any time
        assertThat(answer.transactionId()).isEqualTo(id);
        ByteBuffer wire = answer.buffer();
        byte[] data = new byte[Math.min(wire.getInt(24), 4096)];
        guest.memory().read(page, data);
        boolean sense = (wire.get(14) & 0x80) != 0;
        return new Answer(
                wire.get(14) & 0x7F,
                wire.get(15) & 0xFF,
                sense,
                sense ? wire.get(30) & 0xF : 0,
                sense ? Short.toUnsignedInt(Short.reverseBytes(wire.getShort(40))) : 0,
                data);
    }

    /** Whether the guest has been told to look for units since it was asked last. */
    boolean toldToScan() {
        guest.run();
        var operations = new ArrayList<Integer>();
        for (GuestPacket packet; (packet = channel().tryReceive()) != null; ) {
            operations.add(packet.buffer().getInt(0));
        }
        assertThat(operations).allMatch(operation -> operation == 11);
        return !operations.isEmpty();
    }
}
