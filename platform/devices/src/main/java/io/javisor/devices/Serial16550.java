package io.javisor.devices;

import io.javisor.partition.InterruptLine;
import io.javisor.partition.acpi.AcpiDevice;
import io.javisor.partition.acpi.AcpiResource;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.partition.state.Stateful;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A serial port: National Semiconductor's PC16550D, or with the deeper FIFOs of Texas Instruments' TL16C750. Section numbers
 * here and in its tests are those of the PC16550D data sheet. Safe from any thread.
 *
 * <p>Transmitting takes no time: a byte written is a byte delivered to the {@link ByteSink}, and the transmitter is empty
 * again. Receiving has flow control that a real wire lacks: bytes from the host wait in a small queue (the wire) until the
 * FIFO has room, so nothing is overrun. From the moment that a driver touches the modem lines they flow only while it raises
 * RTS, which Linux lowers when its buffers fill under {@code crtscts} and while nobody has the port open; so what is sent to
 * a booting guest waits for its first reader. A guest that never touches them receives at once.
 *
 * <p>{@link #send} refills the wire only after the guest has read all of it, and half a millisecond later. So the guest sees
 * a pause every {@value #WIRE} bytes, in which its interrupt handler returns and its readers run, whatever the host sends.
 */
public final class Serial16550 extends ByteWideDevice implements Stateful, AutoCloseable {
    /** Bytes on the wire: what is sent in one go. */
    static final int WIRE = 512;

    /** How long the line is idle between two loads of the wire: long enough for an interrupt handler to see it and return. */
    private static final long PAUSE_NANOS = 500_000;

    private static final int LCR_DLAB = 0x80;
    private static final int MCR_DTR = 0x01;
    private static final int MCR_RTS = 0x02;
    private static final int MCR_OUT2 = 0x08;
    private static final int MCR_LOOP = 0x10;
    private static final int IER_RECEIVED = 0x01;
    private static final int IER_TRANSMITTER = 0x02;
    private static final int IER_LINE_STATUS = 0x04;
    private static final int IER_MODEM_STATUS = 0x08;
    private static final int FCR_ENABLE = 0x01;
    private static final int FCR_CLEAR_RECEIVER = 0x02;
    private static final int FCR_64_BYTES = 0x20;
    private static final int IIR_MODEM_STATUS = 0x00;
    private static final int IIR_NONE = 0x01;
    private static final int IIR_TRANSMITTER = 0x02;
    private static final int IIR_RECEIVED = 0x04;
    private static final int IIR_LINE_STATUS = 0x06;
    private static final int IIR_TIMEOUT = 0x0C;
    private static final int IIR_64_BYTES = 0x20;
    private static final int IIR_FIFOS = 0xC0;
    private static final int LSR_READY = 0x01;
    private static final int LSR_OVERRUN = 0x02;
    private static final int LSR_TRANSMITTER_EMPTY = 0x60;
    /** CTS, DSR and DCD: somebody is always at the other end. */
    private static final int MSR_CONNECTED = 0xB0;

    /** Which chip it is. */
    public enum Model {
        /** FIFOs of 16 bytes; known to every guest. */
        NS16550A(16, 0x0F, 0x1F),
        /** FIFOs of 64 bytes, for guests that look for them (Linux where built with SERIAL_8250_16550A_VARIANTS). */
        TI16750(64, 0x3F, 0x3F);

        private final int depth;
        private final int ierBits;
        private final int mcrBits;

        Model(int depth, int ierBits, int mcrBits) {
            this.depth = depth;
            this.ierBits = ierBits;
            this.mcrBits = mcrBits;
        }
    }

    private final String name;
    private final Model model;
    private final InterruptLine line;
    private final ByteSink sink;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition dry = lock.newCondition();
    private final ByteRing fifo = new ByteRing(64);
    private final ByteRing wire = new ByteRing(WIRE);
    private int ier;
    private int fcr;
    private int lcr;
    private int mcr;
    private int divisorLow;
    private int divisorHigh;
    private int scratch;
    private int modem = MSR_CONNECTED;
    private int modemDeltas;
    private boolean overrun;
    private boolean transmitterPending;
    private boolean flowControlled;
    private boolean asserted;
    private boolean closed;

    /**
     * A port at power-on.
     *
     * @param name of its saved state, such as {@code "serial0"}
     * @param model which chip
     * @param line its interrupt, level-triggered, active high
     * @param sink where its output goes
     */
    public Serial16550(String name, Model model, InterruptLine line, ByteSink sink) {
        this.name = name;
        this.model = model;
        this.line = line;
        this.sink = sink;
    }

    /**
     * What ACPI says of a serial port.
     *
     * @param name in the namespace: {@code "COM1"}
     * @param number {@code _UID}
     * @param base first port
     * @param gsi interrupt. Level-triggered: with an edge, Linux loses the transmitter's interrupt when its handler gives
     *     up after 512 rounds, because a transmitter as fast as this one never lets the line fall.
     */
    public static AcpiDevice describe(String name, int number, int base, int gsi) {
        return new AcpiDevice(
                name,
                "PNP0501",
                number,
                List.of(
                        new AcpiResource.Ports(base, LegacyPorts.SERIAL_PORTS),
                        new AcpiResource.Irq(gsi, true, false)));
    }

    /** Puts bytes on the wire as far as it has room, and says how many. Never blocks. None if the port is closed. */
    public int offer(byte[] bytes, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        lock.lock();
        try {
            if (closed) {
                return 0;
            }
            int n = wire.addAll(bytes, offset, length);
            feed();
            update();
            return n;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Sends bytes to the guest, waiting for it to take them; the last {@value #WIRE} may still be on the wire at return.
     * Senders at once do not interleave within a wire's length.
     *
     * @param timeoutNanos longest time to wait, in nanoseconds
     * @return how many bytes were sent: fewer than asked if the time was up or the port was closed
     */
    public int send(byte[] bytes, int offset, int length, long timeoutNanos) throws InterruptedException {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        int sent = 0;
        long left = timeoutNanos;
        boolean pause = false;
        lock.lockInterruptibly();
        try {
            while (sent < length && !closed) {
                if (!(wire.isEmpty() && fifo.isEmpty())) {
                    update(); // an interrupt that was refused before is tried again, since the guest would sleep for
                    // ever
                    if (left <= 0) {
                        break;
                    }
                    left = dry.awaitNanos(left);
                    pause = true;
                } else if (pause) {
                    left -= PAUSE_NANOS - dry.awaitNanos(PAUSE_NANOS);
                    pause = false;
                } else {
                    sent += wire.addAll(bytes, offset + sent, length - sent);
                    feed();
                    update();
                }
            }
            return sent;
        } finally {
            lock.unlock();
        }
    }

    /** The host's end as a stream: writing waits for the guest to read; it fails once the port is closed. */
    public OutputStream input() {
        return new OutputStream() {
            @Override
            public void write(int value) throws IOException {
                write(new byte[] {(byte) value}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                try {
                    if (send(bytes, offset, length, Long.MAX_VALUE) < length) {
                        throw new IOException("serial port " + name + " is closed");
                    }
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw (IOException)
                            new InterruptedIOException("interrupted while " + name + " was busy").initCause(e);
                }
            }
        };
    }

    /** Bytes that the host has sent and the guest has not read. */
    public int unread() {
        lock.lock();
        try {
            return wire.count() + fifo.count();
        } finally {
            lock.unlock();
        }
    }

    @Override
    int readByte(int offset) {
        lock.lock();
        try {
            boolean divisor = (lcr & LCR_DLAB) != 0;
            return switch (offset) {
                case 0 -> divisor ? divisorLow : receive();
                case 1 -> divisor ? divisorHigh : ier;
                case 2 -> identify();
                case 3 -> lcr;
                case 4 -> mcr;
                case 5 -> lineStatus();
                case 6 -> modemStatus();
                default -> scratch;
            };
        } finally {
            lock.unlock();
        }
    }

    @Override
    void writeByte(int offset, int value) {
        lock.lock();
        try {
            boolean divisor = (lcr & LCR_DLAB) != 0;
            switch (offset) {
                case 0 -> {
                    if (divisor) {
                        divisorLow = value;
                    } else {
                        transmit(value);
                    }
                }
                case 1 -> {
                    if (divisor) {
                        divisorHigh = value;
                    } else {
                        enable(value);
                    }
                }
                case 2 -> controlFifos(value);
                case 3 -> lcr = value;
                case 4 -> controlModem(value);
                case 7 -> scratch = value;
                default -> {} // LSR and MSR are read-only (8.4, 8.8)
            }
            update();
        } finally {
            lock.unlock();
        }
    }

    private int receive() {
        if (fifo.isEmpty()) {
            return 0;
        }
        int value = fifo.take();
        feed();
        update();
        return value;
    }

    private void transmit(int value) {
        if ((mcr & MCR_LOOP) == 0) {
            sink.write((byte) value);
        } else if (fifo.count() < depth()) {
            fifo.add((byte) value);
        } else {
            overrun = true; // 8.4: a full FIFO keeps what it has, the newcomer is lost
        }
        transmitterPending = true; // written and empty again
    }

    private void enable(int value) {
        // 8.6: enabling the interrupt while the holding register is empty raises it, each time. Linux tests for that.
        if ((ier & IER_TRANSMITTER) == 0 && (value & IER_TRANSMITTER) != 0) {
            transmitterPending = true;
        }
        ier = value & model.ierBits;
    }

    private int identify() {
        int cause = cause();
        if (cause == IIR_TRANSMITTER) {
            transmitterPending = false; // table V: reading IIR resets it, if it was what IIR said
            update();
        }
        int fifos = (fcr & FCR_ENABLE) == 0 ? 0 : (fcr & FCR_64_BYTES) == 0 ? IIR_FIFOS : IIR_FIFOS | IIR_64_BYTES;
        return cause | fifos;
    }

    private void controlFifos(int value) {
        if (((value ^ fcr) & FCR_ENABLE) != 0) {
            fifo.clear(); // 8.5: changing the mode empties both FIFOs
        }
        if ((value & FCR_ENABLE) == 0) {
            fcr = 0; // 8.5: without it the other bits are not programmed
        } else {
            if ((value & FCR_CLEAR_RECEIVER) != 0) {
                fifo.clear();
            }
            boolean deep =
                    model == Model.TI16750 && ((lcr & LCR_DLAB) != 0 ? value & FCR_64_BYTES : fcr & FCR_64_BYTES) != 0;
            if (!deep && (fcr & FCR_64_BYTES) != 0) {
                fifo.clear();
            }
            fcr = (value & 0xC0) | FCR_ENABLE | (deep ? FCR_64_BYTES : 0);
        }
        feed();
    }

    private void controlModem(int value) {
        mcr = value & model.mcrBits;
        if ((mcr & (MCR_LOOP | MCR_RTS | MCR_DTR)) != 0) {
            flowControlled = true; // a driver is at work, also if it only tests the port so far
        }
        int now = MSR_CONNECTED;
        if ((mcr & MCR_LOOP) != 0) { // 8.7: RTS, DTR, OUT1 and OUT2 come back as CTS, DSR, RI and DCD
            now = ((mcr & 0x02) << 3) | ((mcr & 0x01) << 5) | ((mcr & 0x04) << 4) | ((mcr & 0x08) << 4);
        }
        int changed = now ^ modem;
        modemDeltas |= (changed >> 4) & 0x0B;
        modemDeltas |= (changed & modem & 0x40) >> 4; // TERI: the ring indicator's trailing edge only
        modem = now;
        feed();
    }

    private int lineStatus() {
        int status = LSR_TRANSMITTER_EMPTY | (fifo.isEmpty() ? 0 : LSR_READY) | (overrun ? LSR_OVERRUN : 0);
        if (overrun) {
            overrun = false;
            update();
        }
        return status;
    }

    private int modemStatus() {
        int status = modem | modemDeltas;
        if (modemDeltas != 0) {
            modemDeltas = 0;
            update();
        }
        return status;
    }

    private int depth() {
        return (fcr & FCR_ENABLE) == 0 ? 1 : (fcr & FCR_64_BYTES) == 0 ? 16 : model.depth;
    }

    private int trigger() {
        if ((fcr & FCR_ENABLE) == 0) {
            return 1;
        }
        boolean deep = (fcr & FCR_64_BYTES) != 0;
        return switch (fcr >> 6) {
            case 0 -> 1;
            case 1 -> deep ? 16 : 4;
            case 2 -> deep ? 32 : 8;
            default -> deep ? 56 : 14;
        };
    }

    /** Moves bytes from the wire to the FIFO, if they may flow; wakes the senders when both have run dry. */
    private void feed() {
        if ((mcr & MCR_LOOP) == 0 && (!flowControlled || (mcr & MCR_RTS) != 0)) {
            for (int room = depth() - fifo.count(); room > 0 && !wire.isEmpty(); room--) {
                fifo.add(wire.take());
            }
        }
        if (wire.isEmpty() && fifo.isEmpty()) {
            dry.signalAll();
        }
    }

    /** The pending interrupt of highest priority (table V), as IIR's low four bits. */
    private int cause() {
        if (overrun && (ier & IER_LINE_STATUS) != 0) {
            return IIR_LINE_STATUS;
        }
        if (!fifo.isEmpty() && (ier & IER_RECEIVED) != 0) {
            // A wire that has run dry has been silent for four characters' time at once (8.12).
            return fifo.count() >= trigger() ? IIR_RECEIVED : IIR_TIMEOUT;
        }
        if (transmitterPending && (ier & IER_TRANSMITTER) != 0) {
            return IIR_TRANSMITTER;
        }
        return modemDeltas != 0 && (ier & IER_MODEM_STATUS) != 0 ? IIR_MODEM_STATUS : IIR_NONE;
    }

    /** What the line should have. On a PC the OUT2 pin gates it, and loopback holds that pin inactive (8.7). */
    private boolean level() {
        return (mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2 && cause() != IIR_NONE;
    }

    private void update() {
        boolean level = level();
        if (level != asserted) {
            line.set(level); // may be refused, and is told again then
            asserted = level;
        }
    }

    /** Master reset (table III): scratch and divisor keep their values, the FIFO empties, bytes on the wire stay. */
    public void reset() {
        lock.lock();
        try {
            ier = 0;
            fcr = 0;
            lcr = 0;
            mcr = 0;
            modem = MSR_CONNECTED;
            modemDeltas = 0;
            overrun = false;
            transmitterPending = false;
            flowControlled = false;
            fifo.clear();
            feed();
            update();
        } finally {
            lock.unlock();
        }
    }

    /** Ends the host's side: senders return, later ones send nothing. The guest's registers keep working. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            dry.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public String stateName() {
        return name;
    }

    @Override
    public int stateVersion() {
        return 1;
    }

    @Override
    public void save(StateWriter out) {
        lock.lock();
        try {
            out.put("ier", ier)
                    .put("fcr", fcr)
                    .put("lcr", lcr)
                    .put("mcr", mcr)
                    .put("divisorLow", divisorLow)
                    .put("divisorHigh", divisorHigh)
                    .put("scratch", scratch)
                    .put("modem", modem)
                    .put("modemDeltas", modemDeltas)
                    .put("overrun", overrun)
                    .put("transmitterPending", transmitterPending)
                    .put("flowControlled", flowControlled)
                    .put("fifo", fifo.toByteArray())
                    .put("wire", wire.toByteArray());
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void restore(StateReader in) {
        in.requireVersion(1);
        byte[] fifoBytes = in.getBytes("fifo");
        byte[] wireBytes = in.getBytes("wire");
        int newFcr = in.getInt("fcr", 0, 0xE1);
        if ((newFcr & ~0xE1) != 0 || ((newFcr & FCR_ENABLE) == 0 && newFcr != 0)) {
            throw new StateException(name + ".fcr: impossible value " + newFcr);
        }
        if ((newFcr & FCR_64_BYTES) != 0 && model != Model.TI16750) {
            throw new StateException(name + ".fcr: 64-byte FIFOs on a " + model);
        }
        lock.lock();
        try {
            int newIer = in.getInt("ier", 0, model.ierBits);
            int newLcr = in.getInt("lcr", 0, 0xFF);
            int newMcr = in.getInt("mcr", 0, model.mcrBits);
            int newLow = in.getInt("divisorLow", 0, 0xFF);
            int newHigh = in.getInt("divisorHigh", 0, 0xFF);
            int newScratch = in.getInt("scratch", 0, 0xFF);
            int newModem = in.getInt("modem", 0, 0xF0) & 0xF0;
            int newDeltas = in.getInt("modemDeltas", 0, 0x0F);
            boolean newOverrun = in.getBoolean("overrun");
            boolean newPending = in.getBoolean("transmitterPending");
            boolean newControlled = in.getBoolean("flowControlled");
            int newDepth = (newFcr & FCR_ENABLE) == 0 ? 1 : (newFcr & FCR_64_BYTES) == 0 ? 16 : model.depth;
            if (fifoBytes.length > newDepth || wireBytes.length > WIRE) {
                throw new StateException(name + ": " + fifoBytes.length + " bytes in a FIFO of " + newDepth + ", "
                        + wireBytes.length + " on a wire of " + WIRE);
            }
            ier = newIer;
            fcr = newFcr;
            lcr = newLcr;
            mcr = newMcr;
            divisorLow = newLow;
            divisorHigh = newHigh;
            scratch = newScratch;
            modem = newModem;
            modemDeltas = newDeltas;
            overrun = newOverrun;
            transmitterPending = newPending;
            flowControlled = newControlled;
            fifo.clear();
            fifo.addAll(fifoBytes, 0, fifoBytes.length);
            wire.clear();
            wire.addAll(wireBytes, 0, wireBytes.length);
            feed();
            asserted = level();
            line.set(asserted); // even if it seems unchanged: the interrupt controller is a new one
        } finally {
            lock.unlock();
        }
    }
}
