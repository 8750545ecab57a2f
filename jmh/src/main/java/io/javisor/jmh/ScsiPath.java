package io.javisor.jmh;

import io.javisor.kvm.partition.EpollReactor;
import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.MeteredDisk;
import io.javisor.storage.disk.MovableDisk;
import io.javisor.storage.scsi.DiskUnit;
import io.javisor.storage.storvsp.ScsiController;
import io.javisor.storage.storvsp.StorageWorkers;
import io.javisor.vmbus.channel.ChannelDevice;
import io.javisor.vmbus.guest.GuestChannel;
import io.javisor.vmbus.guest.GuestPacket;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.VmBusVersion;
import io.javisor.vmbus.ring.PacketBuffer;
import io.javisor.vmbus.ring.PacketTypes;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.concurrent.Executor;
import java.util.function.Function;

/**
 * A machine's way from SCSI requests in guest memory to a file and back, without a machine: all that a machine has, from the rings
 * of an open channel down to the disk as a drive opens it, on a reactor's thread and workers of its own. The guest is the calling
 * thread, which looks into its ring without being interrupted, and signals the reactor when the ring asks for it.
 */
final class ScsiPath implements AutoCloseable {
    private static final int RING_PAGES = 32; // 128 KiB, Linux's default for storage
    private static final int WORKERS = 12; // of a machine with one vCPU
    private static final int SECTOR = 512;
    private static final int SRB_STATUS = 14;
    private static final int LBA = 28 + 2;
    private static final int SPINS = 2000;
    private static final long PATIENCE_MILLIS = 1000;

    private final DiskLoad load;
    private final EpollReactor reactor = new EpollReactor("jmh-reactor");
    private final StorageWorkers workers;
    private final Idle idle;
    private final Runnable letGo;
    private final TestGuest guest;
    private final GuestChannel channel;
    private final PacketBuffer answer = new PacketBuffer(4096);
    private final byte[][] requests;
    private final byte[][] headers;
    private final int[] free;
    private final long blocks;
    private int inFlight;
    private long random = 88172645463325252L;
    private long next;

    /** What the guest has between itself and the disk. */
    @FunctionalInterface
    interface Adapter {
        /** The device, with the disk as its first unit. */
        ChannelDevice to(Disk disk, Executor workers);
    }

    /** What the guest does while no answer comes. */
    @FunctionalInterface
    interface Idle {
        /**
         * Passes a little time.
         *
         * @param times that it has found no answer, from 1
         */
        void rest(GuestChannel channel, int times);
    }

    /** Its processor never sleeps; on a busy host it gives way. */
    @SuppressWarnings("ThreadPriorityCheck")
    private static void spin(GuestChannel channel, int times) {
        if (times % SPINS == 0) {
            Thread.yield(); // somebody else needs this processor
        } else {
            Thread.onSpinWait();
        }
    }

    /** Its processor halts until it is interrupted, as one of a machine does. */
    static void halt(GuestChannel channel, int times) {
        try {
            channel.halt(PATIENCE_MILLIS);
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted after " + times + " looks", e);
        }
    }

    /** To a file. */
    static ScsiPath to(Path image, DiskLoad load, Adapter adapter) {
        var disk = new MeteredDisk(new MovableDisk(DiskImage.open(image), null));
        return new ScsiPath(disk.size(), load, workers -> adapter.to(disk, workers), ScsiPath::spin, disk::close);
    }

    /**
     * To anything.
     *
     * @param bytes of the disk
     * @param device made with the executor that it does its work by
     * @param idle what the guest does while no answer comes
     * @param letGo called at last
     */
    ScsiPath(long bytes, DiskLoad load, Function<Executor, ChannelDevice> device, Idle idle, Runnable letGo) {
        this(bytes, load, device, idle, letGo, new StorageWorkers("jmh-disk", WORKERS));
    }

    private ScsiPath(
            long bytes,
            DiskLoad load,
            Function<Executor, ChannelDevice> with,
            Idle idle,
            Runnable letGo,
            StorageWorkers workers) {
        this.load = load;
        this.workers = workers;
        this.idle = idle;
        this.letGo = letGo;
        blocks = bytes / DiskLoad.BYTES;
        guest = new TestGuest(1, 16 << 20, reactor);
        ChannelDevice device = with.apply(workers);
        guest.bus().add(device);
        guest.connect(VmBusVersion.V5_3);
        channel = guest.open(device.offer(), RING_PAGES, RING_PAGES);
        initialize();
        requests = new byte[load.depth()][];
        headers = new byte[load.depth()][];
        free = new int[load.depth()];
        for (int i = 0; i < load.depth(); i++) {
            requests[i] = request();
            headers[i] = header(guest.allocate(DiskLoad.BYTES));
            free[i] = i;
        }
        channel.mask();
    }

    static ChannelDevice controller(Disk disk, Executor workers) {
        var controller = new ScsiController(0, "jmh", workers, 0);
        controller.add(0, new DiskUnit(disk));
        return controller;
    }

    private static ByteBuffer packet(int operation) {
        return ByteBuffer.allocate(64)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0, operation)
                .putInt(4, 1);
    }

    /** As Linux's driver does: begin, version 6.2, properties, end. Then who has just logged in hears so, instead of an answer. */
    private void initialize() {
        ask(packet(7));
        ask(packet(9).putShort(12, (short) 0x0602));
        ask(packet(10));
        ask(packet(8));
        channel.send(
                1,
                packet(3)
                        .putShort(12, (short) 52)
                        .put(20, (byte) 6)
                        .put(21, (byte) 20)
                        .array(),
                true); // TEST UNIT READY
        while (!channel.poll(answer)) {
            Thread.onSpinWait(); // a worker answers
        }
        channel.taken();
    }

    private void ask(ByteBuffer what) {
        byte[] bytes = new byte[what.capacity()];
        what.get(0, bytes);
        channel.send(1, bytes, true);
        GuestPacket said = channel.receive();
        if (said.buffer().getInt(8) != 0) {
            throw new IllegalStateException("operation " + what.getInt(0) + " was refused");
        }
    }

    private byte[] request() {
        return packet(3)
                .putShort(12, (short) 52)
                .put(20, (byte) 10)
                .put(21, (byte) 20)
                .put(22, (byte) (load.writing() ? 0 : 1))
                .putInt(24, DiskLoad.BYTES)
                .put(28, (byte) (load.writing() ? 0x2A : 0x28))
                .put(28 + 8, (byte) (DiskLoad.BYTES / SECTOR))
                .array();
    }

    private static byte[] header(long gpa) {
        return ByteBuffer.allocate(24)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0)
                .putInt(1)
                .putInt(DiskLoad.BYTES)
                .putInt(0)
                .putLong(gpa / 4096)
                .array();
    }

    /** Runs until so many requests more have been answered. The others of the depth stay in flight. */
    long run(int count) {
        long sum = 0;
        int spins = 0;
        for (int left = count; left > 0; ) {
            if (inFlight < load.depth()) {
                do {
                    send(free[load.depth() - ++inFlight]);
                } while (inFlight < load.depth());
                channel.publish();
            }
            int got = taken();
            if (got > 0) {
                left -= got;
                sum += got;
                spins = 0;
            } else {
                idle.rest(channel, ++spins);
            }
        }
        return sum;
    }

    /** Takes the answers that there are. */
    private int taken() {
        int got = 0;
        while (channel.poll(answer)) {
            if (answer.bytes().get(ValueLayout.JAVA_BYTE, answer.payloadOffset() + SRB_STATUS) != 1) {
                throw new IllegalStateException("a request failed");
            }
            free[load.depth() - inFlight--] = (int) answer.transactionId();
            got++;
        }
        if (got > 0) {
            channel.taken();
        }
        return got;
    }

    /** Waits for those that are in flight. */
    void drain() {
        for (int spins = 0; inFlight > 0; ) {
            if (taken() > 0) {
                spins = 0;
            } else {
                idle.rest(channel, ++spins);
            }
        }
    }

    private void send(int slot) {
        long block;
        if (load.random()) {
            random ^= random << 13;
            random ^= random >>> 7;
            random ^= random << 17;
            block = (random >>> 1) % blocks;
        } else {
            block = next;
            next = next + 1 == blocks ? 0 : next + 1;
        }
        byte[] request = requests[slot];
        int lba = (int) (block * (DiskLoad.BYTES / SECTOR));
        request[LBA] = (byte) (lba >> 24);
        request[LBA + 1] = (byte) (lba >> 16);
        request[LBA + 2] = (byte) (lba >> 8);
        request[LBA + 3] = (byte) lba;
        if (!channel.write(PacketTypes.GPA_DIRECT, 1, slot, headers[slot], request)) {
            throw new IllegalStateException("a full ring");
        }
    }

    /** Ends what is in flight, and closes all. */
    @Override
    public void close() {
        drain();
        guest.close();
        reactor.close();
        workers.close();
        letGo.run();
    }
}
