package io.javisor.networking.extension;

import io.javisor.networking.frame.Frame;
import io.javisor.networking.vswitch.Extensions;
import io.javisor.networking.vswitch.SwitchPort;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Writes what passes a switch to a file in the pcapng format, a port of the switch as an interface each. Frames wait in memory
 * for a thread that writes, so that stations never wait for a disk; those that find no room are counted and left out. Add it
 * to a switch with {@code add}, remove it, then close it.
 *
 * <pre>
 * section header, then per interface a description, and per frame:
 * 0 type = 6   4 block bytes   8 interface   12 time, high and low   20 bytes   24 bytes of the original   28 bytes, to 4
 * options: direction (1 in, 2 out), end   block bytes again
 * </pre>
 */
public final class PcapngCapture implements Extensions.Capture, AutoCloseable {
    /** Bytes that wait to be written. */
    private static final int BUFFER = 4 << 20;

    private static final int SECTION = 0x0A0D_0D0A;
    private static final int INTERFACE = 1;
    private static final int PACKET = 6;
    private static final int ETHERNET = 1;
    private static final int NANOSECONDS = 9; // 10⁻⁹
    private static final int PACKET_OVERHEAD = 28 + 8 + 4 + 4;
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

    private final OutputStream out;
    private final Path file;
    private final int snapLength;
    private final long clockOffset = System.currentTimeMillis() * 1_000_000 - System.nanoTime();
    private final LongAdder lost = new LongAdder();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition something = lock.newCondition();
    private final Map<SwitchPort, Integer> interfaces = new HashMap<>(); // guarded by lock, as what follows
    private byte[] filling = new byte[BUFFER];
    private int filled;
    private boolean closed;
    private @Nullable IOException failure;
    private final Thread writer;

    /** Captures whole frames to a file, which is made anew. */
    public PcapngCapture(Path file) {
        this(file, Frame.MOST_BYTES + 4);
    }

    /**
     * Captures to a file, which is made anew.
     *
     * @param snapLength bytes of a frame that are kept at most, from 14
     * @throws UncheckedIOException if it can't be made
     */
    public PcapngCapture(Path file, int snapLength) {
        this.file = file;
        this.snapLength = Math.max(Frame.HEADER, snapLength);
        try {
            out = Files.newOutputStream(file);
        } catch (IOException e) {
            throw new UncheckedIOException("can't write the capture " + file, e);
        }
        putInt(SECTION)
                .putInt(28)
                .putInt(0x1A2B_3C4D)
                .putInt(1)
                .putInt(-1)
                .putInt(-1)
                .putInt(28);
        writer = Thread.ofPlatform().daemon().name("javisor-capture").start(this::write);
    }

    private PcapngCapture putInt(int value) {
        INT.set(filling, filled, value);
        filled += 4;
        return this;
    }

    @Override
    public void entered(Frame frame, SwitchPort from) {
        add(frame, from, 1);
    }

    @Override
    public void leaving(Frame frame, SwitchPort to) {
        add(frame, to, 2);
    }

    private void add(Frame frame, SwitchPort port, int direction) {
        long time = System.nanoTime() + clockOffset;
        int tag = frame.vlan() == 0 && frame.priority() == 0 ? 0 : 4;
        int original = frame.length() + tag;
        int kept = Math.min(original, snapLength);
        int block = PACKET_OVERHEAD + (kept + 3 & ~3);
        lock.lock();
        try {
            if (closed || filled + block > BUFFER) {
                lost.increment();
                return;
            }
            Integer id = interfaces.get(port);
            if (id == null) {
                id = describe(port);
                if (id < 0 || filled + block > BUFFER) {
                    lost.increment();
                    return;
                }
            }
            boolean wake = filled == 0;
            putInt(PACKET).putInt(block).putInt(id).putInt((int) (time >>> 32)).putInt((int) time);
            putInt(kept).putInt(original);
            int head = Math.min(kept, 12);
            System.arraycopy(frame.bytes(), 0, filling, filled, head);
            if (tag == 0) {
                System.arraycopy(frame.bytes(), head, filling, filled + head, kept - head);
            } else {
                putTagged(frame, kept);
            }
            int padded = kept + 3 & ~3;
            for (int i = kept; i < padded; i++) {
                filling[filled + i] = 0;
            }
            filled += padded;
            putInt(2 | 4 << 16).putInt(direction).putInt(0).putInt(block);
            if (wake) {
                something.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    private void putTagged(Frame frame, int kept) {
        byte[] tag = {(byte) 0x81, 0, (byte) (frame.priority() << 5 | frame.vlan() >>> 8), (byte) frame.vlan()};
        int ofTag = Math.clamp(kept - 12L, 0, 4);
        System.arraycopy(tag, 0, filling, filled + 12, ofTag);
        if (kept > 16) {
            System.arraycopy(frame.bytes(), 12, filling, filled + 16, kept - 16);
        }
    }

    /** Describes a port as an interface; −1 if there is no room. */
    private int describe(SwitchPort port) {
        byte[] name = port.toString().getBytes(StandardCharsets.UTF_8);
        int nameBytes = Math.min(name.length, 256);
        int padded = nameBytes + 3 & ~3;
        int block = 20 + 4 + padded + 8 + 4;
        if (filled + block > BUFFER) {
            return -1;
        }
        putInt(INTERFACE).putInt(block).putInt(ETHERNET).putInt(snapLength);
        SHORT.set(filling, filled, (short) 2); // if_name
        SHORT.set(filling, filled + 2, (short) nameBytes);
        filled += 4;
        System.arraycopy(name, 0, filling, filled, nameBytes);
        for (int i = nameBytes; i < padded; i++) {
            filling[filled + i] = 0;
        }
        filled += padded;
        putInt(9 | 1 << 16).putInt(NANOSECONDS).putInt(0).putInt(block); // if_tsresol
        int id = interfaces.size();
        interfaces.put(port, id);
        return id;
    }

    /** Frames that were left out because there was no room. */
    public long framesLost() {
        return lost.sum();
    }

    private void write() {
        byte[] writing = new byte[BUFFER];
        while (true) {
            int count;
            lock.lock();
            try {
                while (filled == 0 && !closed) {
                    try {
                        something.await(1, TimeUnit.HOURS);
                    } catch (InterruptedException e) {
                        // nobody interrupts it but by mistake
                    }
                }
                if (filled == 0) {
                    return;
                }
                byte[] full = filling;
                filling = writing;
                writing = full;
                count = filled;
                filled = 0;
            } finally {
                lock.unlock();
            }
            try {
                out.write(writing, 0, count);
                out.flush();
            } catch (IOException e) {
                lock.lock();
                try {
                    failure = e;
                    closed = true;
                    filled = 0;
                } finally {
                    lock.unlock();
                }
                return;
            }
        }
    }

    /**
     * Writes what waits, and closes the file. Idempotent.
     *
     * @throws UncheckedIOException if something could not be written
     */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            something.signal();
        } finally {
            lock.unlock();
        }
        boolean interrupted = false;
        while (writer.isAlive()) {
            try {
                writer.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        try {
            out.close();
        } catch (IOException e) {
            failure = failure == null ? e : failure;
        }
        if (failure != null) {
            throw new UncheckedIOException("can't write the capture " + file, failure);
        }
    }
}
