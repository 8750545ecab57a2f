package io.javisor.jmh;

import io.javisor.kvm.partition.MemfdBacking;
import io.javisor.linux.PageSize;
import io.javisor.memory.balloon.BalloonListener;
import io.javisor.memory.balloon.BalloonStatus;
import io.javisor.memory.balloon.BalloonTarget;
import io.javisor.memory.balloon.DynamicMemoryDevice;
import io.javisor.memory.balloon.GrowingMemory;
import io.javisor.memory.protocol.DmVersion;
import io.javisor.memory.protocol.GuestReport;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.topology.AddressSpacePlan;
import io.javisor.vmbus.guest.GuestChannel;
import io.javisor.vmbus.guest.GuestPacket;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.VmBusVersion;
import io.javisor.vmbus.protocol.Wire;
import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * A guest whose driver gives up and takes back memory as it is told, beside the real device, over a real channel and a real
 * memory file. All on the caller's thread, the host's work on memory too. The driver keeps no books: it gives the same pages
 * each time.
 */
public final class BalloonGuest implements AutoCloseable {
    /** Bytes of the guest's memory. */
    public static final long MEMORY = 256L << 20;

    private static final int V3 = 0x2_0000;
    private static final int HEADER = 8;
    private static final int FEW_RANGES = 510; // in an answer, as Linux's driver fills a page
    private static final long FIRST = (128L << 20) / 4096;

    private final TestGuest guest = new TestGuest(1, 4 << 20);
    private final Memory memory = new Memory();
    private final DynamicMemoryDevice device;
    private final GuestChannel channel;
    private final long rangePages;
    private final long stride;
    private int transaction = 1;

    /**
     * A guest whose driver is connected, and all of whose memory is there.
     *
     * @param rangePages pages that lie together in what it gives up
     * @param stride pages from one such range to the next
     */
    public BalloonGuest(long rangePages, long stride) {
        this.rangePages = rangePages;
        this.stride = stride;
        memory.populate(0, MEMORY);
        device = new DynamicMemoryDevice(memory, 1, MEMORY, guest.reactor(), new Silence());
        guest.bus().add(device);
        guest.connect(VmBusVersion.V5_3);
        channel = guest.open(device.offer(), 5, 5);
        send(1, 8, b -> b.putInt(V3).putInt(0));
        work();
        report();
    }

    /** The guest reports, and a second passes for the device. */
    public void second() {
        report();
        guest.advance(Duration.ofSeconds(1));
    }

    private void report() {
        send(5, 40, b -> b.putLong(20_000).putLong(10_000));
        guest.run();
    }

    /** The guest shall have this much, and does. */
    public void target(long bytes) {
        device.target(BalloonTarget.of(bytes));
        guest.run();
        work();
        if (device.status().assignedBytes() != bytes) {
            throw new IllegalStateException(
                    "the guest has " + device.status().assignedBytes() + " bytes, not " + bytes);
        }
    }

    /** Bytes that the host has handed out. */
    public long resident() {
        return memory.residentBytes(0);
    }

    private void work() {
        for (GuestPacket p = channel.tryReceive(); p != null; p = channel.tryReceive()) {
            ByteBuffer in = Wire.buffer(p.payload());
            switch (in.getShort()) {
                case 2 -> send(3, 24, b -> b.putLong(1).putLong(0).putLong(-1)); // a balloon, no hot add
                case 6 -> giveUp(Integer.toUnsignedLong(in.getInt(HEADER)));
                case 8 -> {
                    if ((in.getInt(HEADER) & 1) == 0) {
                        send(9, 0, b -> {});
                    }
                }
                default -> {} // capabilities accepted, information
            }
            guest.run();
        }
    }

    private void giveUp(long pages) {
        long ranges = pages / rangePages;
        for (long done = 0; done < ranges; ) {
            long first = done;
            int count = (int) Math.min(FEW_RANGES, ranges - done);
            boolean more = done + count < ranges;
            send(7, 8 + 8 * count, b -> {
                b.putInt(0).putInt((more ? 1 : 0) | count << 1);
                for (int i = 0; i < count; i++) {
                    b.putLong(FIRST + (first + i) * stride | rangePages << 40);
                }
            });
            guest.run();
            done += count;
        }
    }

    private interface Fill {
        void into(ByteBuffer body);
    }

    private void send(int type, int body, Fill fill) {
        ByteBuffer out = Wire.buffer(new byte[HEADER + body])
                .putShort((short) type)
                .putShort((short) (HEADER + body))
                .putInt(transaction++);
        fill.into(out);
        channel.send(0, Wire.bytes(out), false);
        guest.run();
    }

    @Override
    public void close() {
        device.close();
        guest.close();
        memory.file.close();
    }

    /** One node of boot memory, in a memory file as a machine's. */
    private static final class Memory implements GrowingMemory {
        private final AddressSpacePlan plan = AddressSpacePlan.single(MEMORY);
        private final MemfdBacking file = MemfdBacking.reserve("benchmark", MEMORY, PageSize.KIB_4);

        @Override
        public AddressSpacePlan plan() {
            return plan;
        }

        @Override
        public long pageSize(int node) {
            return file.pageSize();
        }

        @Override
        public void add(int node, long gpa, long length) {
            throw new UnsupportedOperationException("this guest does not grow");
        }

        @Override
        public void discard(long gpa, long length) {
            file.discard(gpa, length);
        }

        @Override
        public void populate(long gpa, long length) {
            file.populate(gpa, length);
        }

        @Override
        public long residentBytes(int node) {
            return file.residentBytes();
        }
    }

    /** Hears only what must not happen. */
    private static final class Silence implements BalloonListener {
        @Override
        public void ready(DmVersion version, GuestReport.Capabilities can) {}

        @Override
        public void gone() {
            throw new IllegalStateException("the channel was closed");
        }

        @Override
        public void status(BalloonStatus now) {}

        @Override
        public void ballooned(long asked, long got) {
            if (asked != got) {
                throw new IllegalStateException("gave " + got + " pages of " + asked);
            }
        }

        @Override
        public void unballooned(long bytes) {}

        @Override
        public void hotAdded(int node, long offered, long taken, boolean last) {}

        @Override
        public void overdue(String request) {
            throw new IllegalStateException("overdue: " + request);
        }

        @Override
        public void notOnline(long bytes) {}

        @Override
        public void strayed(long bytes) {}

        @Override
        public void refused(HypervisorException why) {
            throw why;
        }
    }
}
