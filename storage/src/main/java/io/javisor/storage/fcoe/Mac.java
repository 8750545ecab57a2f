package io.javisor.storage.fcoe;

import java.nio.ByteBuffer;

/** Ethernet addresses as numbers: the first byte on the wire in bits 47 to 40. */
final class Mac {
    /** The first half of addresses that the fabric gives out (FC-MAP); a port's ID is the other. */
    static final int FC_MAP = 0x0EFC00;

    /** All hosts with FCoE. */
    static final long ALL_ENODES = 0x0110_1801_0001L;

    private Mac() {}

    static long get(ByteBuffer from, int at) {
        return (from.getShort(at) & 0xFFFFL) << 32 | from.getInt(at + 2) & 0xFFFF_FFFFL;
    }

    static void put(ByteBuffer to, int at, long mac) {
        to.putShort(at, (short) (mac >>> 32)).putInt(at + 2, (int) mac);
    }

    /** The address of the port with an ID. */
    static long of(int portId) {
        return (long) FC_MAP << 24 | portId;
    }
}
