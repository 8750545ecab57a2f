package io.javisor.storage.storvsp;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.IoMemory;
import io.javisor.storage.fibrechannel.PortNames;
import io.javisor.storage.fibrechannel.SanPort;
import io.javisor.storage.fibrechannel.SanVolume;
import io.javisor.storage.fibrechannel.SoftwareSan;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.fibrechannel.WwnSet;
import io.javisor.storage.scsi.CopyDomain;
import io.javisor.storage.scsi.DiskUnit;
import io.javisor.vmbus.guest.TestGuest;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;

/**
 * Commands of a guest to addresses of its Fibre Channel adapter as the input says, between what the SAN's owner does. Beside the
 * disk that it may see there is one that only another may: nothing of it is ever told, and nothing of it changes.
 */
@Tag("fuzz")
class FibreChannelFuzz {
    private static final Wwn NODE = Wwn.of("c003ff0000ffff00");
    private static final PortNames NAMES =
            new PortNames(NODE, Wwn.of("c003ff0000010000"), NODE, Wwn.of("c003ff0000010001"));
    private static final int SECRET = 0x5AA5_0FF0;
    private static final int HEADER = 22;

    @FuzzTest(maxDuration = "5m")
    void commands(byte[] input) {
        try (var guest = new TestGuest(1, 1 << 20);
                var disk = DiskImage.memory("shown", 64 << 10, 512);
                var secret = DiskImage.memory("secret", 64 << 10, 512);
                var san = SoftwareSan.builder("san").ports("a", 2).build()) {
            byte[] all = new byte[64 << 10];
            ByteBuffer fill = ByteBuffer.wrap(all);
            while (fill.hasRemaining()) {
                fill.putInt(SECRET);
            }
            secret.write(0, IoMemory.of(all), false);
            SanVolume shown = san.add("shown", new DiskUnit(disk));
            shown.present(1);
            SanVolume hidden = san.add("secret", new DiskUnit(secret));
            hidden.presentTo(Wwn.of("c003ff0000020000"), 0);
            var adapter = new FibreChannelAdapter(0, NAMES, WwnSet.A, Runnable::run, 0, new CopyDomain());
            adapter.connect(san, "");
            var driver = new FibreChannelGuest(guest, adapter);
            driver.boot();
            ByteBuffer in = ByteBuffer.wrap(input);
            while (in.remaining() >= HEADER) {
                change(san, shown, adapter, in.get());
                int path = in.get() & 1;
                int target = in.get() & 3;
                int lun = in.get() & 3;
                byte[] cdb = new byte[16];
                in.get(cdb);
                int length = Short.toUnsignedInt(in.getShort()) % 2048;
                boolean writing = (length & 1) != 0;
                byte[] out = new byte[writing ? Math.min(length, in.remaining()) : 0];
                in.get(out);
                FibreChannelGuest.Answer answer = driver.command(path, target, lun, cdb, writing ? 0 : 1, length, out);
                if (answer.data().length > length || (answer.key() == 4 && answer.code() == 0x4400)) {
                    throw new AssertionError(answer + " to command " + cdb[0]);
                }
                if (!writing && tells(answer.data())) {
                    throw new AssertionError("command " + cdb[0] + " read what it must not");
                }
            }
            IoMemory after = IoMemory.allocate(all.length);
            secret.read(0, after);
            if (!Arrays.equals(after.toByteArray(), all) || !guest.failures().isEmpty()) {
                throw new AssertionError("a disk beyond the mask was written, or " + guest.failures());
            }
        }
    }

    private static boolean tells(byte[] data) {
        ByteBuffer words = ByteBuffer.wrap(data);
        while (words.remaining() >= 4) {
            if (words.getInt() == SECRET) {
                return true;
            }
        }
        return false;
    }

    private static void change(SoftwareSan san, SanVolume shown, FibreChannelAdapter adapter, byte what) {
        SanPort port = san.ports().get(what & 1);
        switch (what >> 4 & 0xF) {
            case 1 -> port.fail();
            case 2 -> port.restore();
            case 3 -> shown.presentTo(adapter.names().port(adapter.active()), what & 3);
            case 4 -> shown.hideFrom(adapter.names().port(adapter.active()));
            case 5 -> adapter.activate(adapter.active().other());
            default -> {}
        }
    }
}
