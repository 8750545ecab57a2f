package io.javisor.devices;

import io.javisor.partition.bus.IoDevice;

/** Registers one byte wide. A wider access is split into bytes at ascending addresses, as a PC's bus does for 8-bit devices. */
abstract class ByteWideDevice implements IoDevice {
    @Override
    public final long read(long offset, int size) {
        long value = 0;
        for (int i = 0; i < size; i++) {
            value |= (long) (readByte((int) offset + i) & 0xFF) << (8 * i);
        }
        return value;
    }

    @Override
    public final void write(long offset, int size, long value) {
        for (int i = 0; i < size; i++) {
            writeByte((int) offset + i, (int) (value >>> (8 * i)) & 0xFF);
        }
    }

    /** Reads a register; only the low 8 bits count. */
    abstract int readByte(int offset);

    /** Writes a register; {@code value} is 0 to 255. */
    abstract void writeByte(int offset, int value);
}
