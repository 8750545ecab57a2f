package io.javisor.devices;

import io.javisor.partition.acpi.AcpiDevice;
import io.javisor.partition.acpi.AcpiResource;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.partition.state.Stateful;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.InstantSource;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The battery-backed clock of a PC: Motorola's MC146818 with 114 bytes of memory, and the century at 0x32. It shows UTC from
 * the host's clock plus what the guest has set it off by. It interrupts nobody, and never says that an update is in progress,
 * because a register read is an update. Safe from any thread.
 *
 * <pre>
 * port 0  index, 0 to 127 (bit 7, which masks NMIs on a PC, is ignored); reads as all ones
 * port 1  the indexed register:
 *         0 seconds  2 minutes  4 hours  6 day of week  7 day  8 month  9 year  0x32 century   1 3 5 alarm (kept, never rings)
 *         A rate and divider   B SET 7, binary 2, 24 hours 1   C interrupt flags: 0   D 0x80, the battery is good
 * </pre>
 */
public final class CmosClock extends ByteWideDevice implements Stateful {
    private static final int REGISTERS = 128;
    private static final int SECONDS = 0;
    private static final int MINUTES = 2;
    private static final int HOURS = 4;
    private static final int WEEKDAY = 6;
    private static final int DAY = 7;
    private static final int MONTH = 8;
    private static final int YEAR = 9;
    private static final int A = 0x0A;
    private static final int B = 0x0B;
    private static final int C = 0x0C;
    private static final int D = 0x0D;
    private static final int CENTURY = LegacyPorts.CMOS_CENTURY;

    /** 32.768 kHz, 1,024 Hz: what a PC's firmware leaves. */
    private static final int A_DEFAULT = 0x26;

    private static final int A_UPDATE_IN_PROGRESS = 0x80;
    private static final int B_SET = 0x80;
    private static final int B_BINARY = 0x04;
    private static final int B_24_HOURS = 0x02;
    private static final int D_VALID = 0x80;
    private static final int HOURS_PM = 0x80;
    private static final long YEAR_0 = LocalDateTime.of(0, 1, 1, 0, 0).toEpochSecond(ZoneOffset.UTC);
    private static final long YEAR_9999 =
            LocalDateTime.of(9999, 12, 31, 23, 59, 59).toEpochSecond(ZoneOffset.UTC);

    /** Largest offset: a four-digit year from any other. */
    private static final long OFFSET_LIMIT = Duration.ofDays(366L * 10_000).toSeconds();

    private final InstantSource host;
    private final ReentrantLock lock = new ReentrantLock();
    private final byte[] memory = new byte[REGISTERS];
    private long offsetSeconds;
    private int index;

    /** @param host the clock that it follows */
    public CmosClock(InstantSource host) {
        this.host = host;
        memory[A] = A_DEFAULT;
        memory[B] = B_24_HOURS;
    }

    /** What ACPI says of it. It has no interrupt: a guest's driver then does without alarms. */
    public static AcpiDevice describe() {
        return new AcpiDevice(
                "RTC_", "PNP0B00", 0, List.of(new AcpiResource.Ports(LegacyPorts.CMOS, LegacyPorts.CMOS_PORTS)));
    }

    @Override
    int readByte(int offset) {
        lock.lock();
        try {
            if (offset == 0) {
                return 0xFF;
            }
            return switch (index) {
                case SECONDS, MINUTES, HOURS, WEEKDAY, DAY, MONTH, YEAR, CENTURY -> {
                    if ((memory[B] & B_SET) == 0) {
                        show(now());
                    }
                    yield memory[index];
                }
                case C -> 0;
                case D -> D_VALID;
                default -> memory[index];
            };
        } finally {
            lock.unlock();
        }
    }

    @Override
    void writeByte(int offset, int value) {
        lock.lock();
        try {
            if (offset == 0) {
                index = value & (REGISTERS - 1);
                return;
            }
            switch (index) {
                case SECONDS, MINUTES, HOURS, WEEKDAY, DAY, MONTH, YEAR, CENTURY -> {
                    if ((memory[B] & B_SET) == 0) {
                        show(now());
                        memory[index] = (byte) value;
                        take();
                    } else {
                        memory[index] = (byte) value;
                    }
                }
                case A -> memory[A] = (byte) (value & ~A_UPDATE_IN_PROGRESS);
                case B -> control(value);
                case C, D -> {} // read-only
                default -> memory[index] = (byte) value;
            }
        } finally {
            lock.unlock();
        }
    }

    /** SET stops the clock so that a program can set all fields; clearing it starts it from what they say. */
    private void control(int value) {
        boolean was = (memory[B] & B_SET) != 0;
        memory[B] = (byte) value;
        boolean set = (value & B_SET) != 0;
        if (set && !was) {
            show(now());
        } else if (was && !set) {
            take();
        }
    }

    private LocalDateTime now() {
        long seconds = host.instant().getEpochSecond() + offsetSeconds;
        return LocalDateTime.ofEpochSecond(Math.clamp(seconds, YEAR_0, YEAR_9999), 0, ZoneOffset.UTC);
    }

    /** Writes a time into the registers, in the format that register B asks for. */
    private void show(LocalDateTime t) {
        memory[SECONDS] = encode(t.getSecond());
        memory[MINUTES] = encode(t.getMinute());
        int hour = t.getHour();
        if ((memory[B] & B_24_HOURS) != 0) {
            memory[HOURS] = encode(hour);
        } else {
            memory[HOURS] = (byte) (encode(hour % 12 == 0 ? 12 : hour % 12) | (hour >= 12 ? HOURS_PM : 0));
        }
        memory[WEEKDAY] = encode(t.getDayOfWeek().getValue() % 7 + 1); // Sunday is 1
        memory[DAY] = encode(t.getDayOfMonth());
        memory[MONTH] = encode(t.getMonthValue());
        memory[YEAR] = encode(t.getYear() % 100);
        memory[CENTURY] = encode(t.getYear() / 100);
    }

    /** Sets the clock from the registers; if they name no date, it goes on as if they had not been written. */
    private void take() {
        int hour = memory[HOURS] & 0xFF;
        if ((memory[B] & B_24_HOURS) == 0) {
            hour = decode(hour & ~HOURS_PM) % 12 + ((hour & HOURS_PM) != 0 ? 12 : 0);
        } else {
            hour = decode(hour);
        }
        try {
            var t = LocalDateTime.of(
                    decode(memory[CENTURY]) * 100 + decode(memory[YEAR]),
                    decode(memory[MONTH]),
                    decode(memory[DAY]),
                    hour,
                    decode(memory[MINUTES]),
                    decode(memory[SECONDS]));
            long seconds = Math.clamp(t.toEpochSecond(ZoneOffset.UTC), YEAR_0, YEAR_9999);
            offsetSeconds = seconds - host.instant().getEpochSecond();
        } catch (DateTimeException e) {
            // Garbage from the guest; a real chip would count on from it.
        }
    }

    private byte encode(int value) {
        return (byte) ((memory[B] & B_BINARY) != 0 ? value : ((value / 10) << 4) | (value % 10));
    }

    private int decode(int value) {
        int bits = value & 0xFF;
        return (memory[B] & B_BINARY) != 0 ? bits : (bits >> 4) * 10 + (bits & 0x0F);
    }

    @Override
    public String stateName() {
        return "cmos";
    }

    @Override
    public int stateVersion() {
        return 1;
    }

    /** The battery keeps everything, so there is no reset; time passes while a machine is saved. */
    @Override
    public void save(StateWriter out) {
        lock.lock();
        try {
            out.put("index", index).put("offsetSeconds", offsetSeconds).put("memory", memory);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void restore(StateReader in) {
        in.requireVersion(1);
        int newIndex = in.getInt("index", 0, REGISTERS - 1);
        long newOffset = in.getLong("offsetSeconds");
        if (newOffset < -OFFSET_LIMIT || newOffset > OFFSET_LIMIT) {
            throw new StateException("cmos.offsetSeconds: " + newOffset + " is more than 10,000 years");
        }
        byte[] newMemory = in.getBytes("memory", REGISTERS);
        lock.lock();
        try {
            index = newIndex;
            offsetSeconds = newOffset;
            System.arraycopy(newMemory, 0, memory, 0, REGISTERS);
            memory[A] = (byte) (memory[A] & ~A_UPDATE_IN_PROGRESS);
        } finally {
            lock.unlock();
        }
    }
}
