package io.javisor.devices;

import io.javisor.partition.bus.IoDevice;

/**
 * A port that takes bytes and answers one: the power-on code and delay ports ({@link #silent()}), or the debug console of
 * Bochs ({@link #console}). Has no state. Safe from any thread.
 */
public final class DebugPort implements IoDevice {
    private static final int DEBUG_CONSOLE_PRESENT = 0xE9;

    private final ByteSink sink;
    private final int answer;

    private DebugPort(ByteSink sink, int answer) {
        this.sink = sink;
        this.answer = answer;
    }

    /** Swallows writes, answers all ones. */
    public static DebugPort silent() {
        return new DebugPort(value -> {}, -1);
    }

    /** Passes bytes on; answers 0xE9, by which a guest knows that somebody listens. The sink is called by all vCPUs at once. */
    public static DebugPort console(ByteSink sink) {
        return new DebugPort(sink, DEBUG_CONSOLE_PRESENT);
    }

    @Override
    public long read(long offset, int size) {
        return answer;
    }

    @Override
    public void write(long offset, int size, long value) {
        sink.write((byte) value);
    }
}
