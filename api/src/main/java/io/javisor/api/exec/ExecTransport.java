package io.javisor.api.exec;

/** By what way a program was brought into the guest, and its output out of it. */
public enum ExecTransport {
    /** The second serial port: needs nothing but a shell there. */
    SERIAL,
    /** A socket over the VMBus (hv_sock): needs javisor-agent, perl, socat or python3 in the guest. */
    SOCKET
}
