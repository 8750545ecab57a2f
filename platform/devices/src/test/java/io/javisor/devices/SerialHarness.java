package io.javisor.devices;

import io.javisor.devices.Serial16550.Model;
import java.io.ByteArrayOutputStream;

/** A port, its wire and what came out of it; the registers have the data sheet's names. */
final class SerialHarness {
    static final int RBR = 0;
    static final int THR = 0;
    static final int DLL = 0;
    static final int IER = 1;
    static final int DLM = 1;
    static final int IIR = 2;
    static final int FCR = 2;
    static final int LCR = 3;
    static final int MCR = 4;
    static final int LSR = 5;
    static final int MSR = 6;
    static final int SCR = 7;

    final ByteArrayOutputStream out = new ByteArrayOutputStream();
    final Serial16550 port;
    volatile boolean line;
    int edges;

    SerialHarness() {
        this(Model.NS16550A);
    }

    SerialHarness(Model model) {
        port = new Serial16550("serial0", model, this::set, out::write);
    }

    private void set(boolean asserted) {
        if (asserted && !line) {
            edges++;
        }
        line = asserted;
    }

    int in(int register) {
        return (int) port.read(register, 1);
    }

    void out(int register, int value) {
        port.write(register, 1, value);
    }

    int host(byte... bytes) {
        return port.offer(bytes, 0, bytes.length);
    }

    /** As Linux leaves it: FIFOs on, trigger 8, DTR, RTS, OUT2. */
    SerialHarness open() {
        out(FCR, 0x81);
        out(MCR, 0x0B);
        return this;
    }
}
