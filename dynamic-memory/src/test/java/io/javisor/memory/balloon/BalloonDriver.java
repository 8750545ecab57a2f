package io.javisor.memory.balloon;

import io.javisor.memory.protocol.PageRange;
import io.javisor.vmbus.guest.GuestChannel;
import io.javisor.vmbus.guest.GuestPacket;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.Wire;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** The guest's driver: says byte by byte what Linux's hv_balloon says, and keeps the same counts. */
public final class BalloonDriver {
    static final int V1 = 3;
    static final int V2 = 0x1_0000;
    public static final int V3 = 0x2_0000;

    final TestGuest guest;
    final GuestChannel channel;
    public final TreeSet<Long> free = new TreeSet<>(); // pages that it can give up
    public final TreeSet<Long> ballooned = new TreeSet<>();
    final List<PageRange> added = new ArrayList<>();
    final List<Long> sizes = new ArrayList<>(); // of the hot-add messages
    final List<PageRange> regions = new ArrayList<>();
    int version;
    long maximum = -1;
    boolean canAdd = true;
    int alignment = 7; // 128 MiB
    boolean silent;
    boolean addSilent;
    int rangesPerMessage = 510;
    int rangePages = 512;
    long takesAtMost = Long.MAX_VALUE; // of a hot add
    boolean addFails;
    boolean online = true;
    boolean fromEnd;
    long notOnlined;
    private int transaction = 100;

    public BalloonDriver(TestGuest guest, DynamicMemoryDevice device) {
        this.guest = guest;
        channel = guest.open(device.offer(), 5, 5);
    }

    /** All of the host's words so far are answered. */
    public int work() {
        int count = 0;
        while (true) {
            GuestPacket packet = channel.tryReceive();
            if (packet == null) {
                return count;
            }
            count++;
            handle(Wire.buffer(packet.payload()));
        }
    }

    private void handle(ByteBuffer in) {
        int type = in.getShort();
        int size = in.getShort();
        in.getInt();
        switch (type) {
            case 2 -> {
                if (in.getLong() == 1) {
                    send(
                            3,
                            24,
                            b -> b.putLong(1 | (canAdd ? 2 : 0) | (long) alignment << 2)
                                    .putLong(0)
                                    .putLong(-1));
                } else if (version == V2) {
                    askVersion(V1, true);
                } else if (version > V2) {
                    askVersion(V2, false);
                }
            }
            case 4 -> {}
            case 6 -> {
                if (!silent) {
                    balloonUp(Integer.toUnsignedLong(in.getInt()));
                }
            }
            case 8 -> balloonDown(in);
            case 10 -> {
                sizes.add((long) size);
                PageRange pages = range(in.getLong());
                if (size > 16) {
                    regions.add(range(in.getLong()));
                }
                if (!addSilent) {
                    answerHotAdd(pages);
                }
            }
            case 12 -> {
                in.getLong();
                in.getLong();
                maximum = in.getLong();
            }
            default -> throw new AssertionError("message " + type);
        }
    }

    private static PageRange range(long wire) {
        return new PageRange(wire & (1L << 40) - 1, wire >>> 40);
    }

    public void connect(int first) {
        askVersion(first, false);
        work();
    }

    void askVersion(int asked, boolean last) {
        version = asked;
        send(1, 8, b -> b.putInt(asked).putInt(last ? 1 : 0));
    }

    /** As Linux: in messages of a page, the last one marked. */
    void balloonUp(long pages) {
        long left = pages;
        boolean more = true;
        while (more) {
            var ranges = new ArrayList<PageRange>();
            while (left > 0 && ranges.size() < rangesPerMessage && !free.isEmpty()) {
                long first = free.first();
                if (fromEnd) {
                    first = free.last();
                    while (first % rangePages != 0 && free.contains(first - 1)) {
                        first--;
                    }
                }
                long n = 0;
                while (n < Math.min(rangePages, left) && free.remove(first + n)) {
                    ballooned.add(first + n);
                    n++;
                }
                ranges.add(new PageRange(first, n));
                left -= n;
            }
            more = left > 0 && !free.isEmpty();
            ballooned(ranges, more);
        }
    }

    void ballooned(List<PageRange> ranges, boolean more) {
        send(7, 8 + 8 * ranges.size(), b -> {
            b.putInt(0).putInt((more ? 1 : 0) | ranges.size() << 1);
            ranges.forEach(r -> b.putLong(r.first() | r.count() << 40));
        });
    }

    private void balloonDown(ByteBuffer in) {
        boolean more = (in.getInt() & 1) != 0;
        int count = in.getInt();
        for (int i = 0; i < count; i++) {
            PageRange range = range(in.getLong());
            for (long page = range.first(); page < range.end(); page++) {
                if (!ballooned.remove(page)) {
                    throw new AssertionError("the host gives back page " + page + ", which it does not have");
                }
                free.add(page);
            }
        }
        if (!more && !silent) {
            send(9, 0, b -> {});
        }
    }

    void answerHotAdd(PageRange pages) {
        long taken = addFails ? 0 : Math.min(takesAtMost, pages.count());
        boolean success = taken > 0 || takesAtMost == 0;
        if (taken > 0) {
            added.add(new PageRange(pages.first(), taken));
            if (online) {
                for (long page = pages.first(); page < pages.first() + taken; page++) {
                    free.add(page);
                }
            } else {
                notOnlined += taken;
            }
        }
        send(11, 8, b -> b.putInt((int) taken).putInt(success ? 1 : 0));
    }

    /** A status report: committed as Linux counts it. */
    public void report(long available, long used) {
        send(5, 40, b -> b.putLong(available).putLong(used + ballooned.size() + notOnlined));
    }

    void send(int type, int body, java.util.function.Consumer<ByteBuffer> fill) {
        ByteBuffer out = Wire.buffer(new byte[8 + body])
                .putShort((short) type)
                .putShort((short) (8 + body))
                .putInt(transaction++);
        fill.accept(out);
        channel.send(0, Wire.bytes(out), false);
    }
}
