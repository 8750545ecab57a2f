package io.javisor.storage.fcoe;

import java.nio.ByteBuffer;

/** Requests and answers of extended link services (FC-LS-3), as payloads. */
final class LinkService {
    static final int REJECT = 0x01;
    static final int ACCEPT = 0x02;
    static final int PLOGI = 0x03;
    static final int FLOGI = 0x04;
    static final int LOGO = 0x05;
    static final int RTV = 0x0E;
    static final int FDISC = 0x51;
    static final int STATE_CHANGE = 0x61;
    static final int STATE_CHANGE_REGISTRATION = 0x62;

    /** Reject reasons and explanations (FC-LS-3 table 132). */
    static final int UNABLE = 0x09;

    static final int NOT_SUPPORTED = 0x0B;
    static final int LOGICAL_ERROR = 0x03;
    static final int INVALID_PORT_NAME = 0x0D;
    static final int NO_RESOURCES = 0x29;

    /** Where a login's payload has the names of port and node. */
    static final int PORT_NAME = 20;

    static final int NODE_NAME = 28;
    static final int NAMES_END = 36;

    /** How long a frame may be under way, and for how long an answer is waited, in milliseconds. */
    static final int RESOURCE_ALLOCATION_TIMEOUT = 10_000;

    static final int ERROR_DETECT_TIMEOUT = 2_000;

    private static final int LOGIN_BYTES = 116;
    private static final int CLASS_3 = 68;

    private LinkService() {}

    /** An answer without content. */
    static byte[] accept() {
        return new byte[] {ACCEPT, 0, 0, 0};
    }

    static byte[] reject(int reason, int explanation) {
        return new byte[] {REJECT, 0, 0, 0, 0, (byte) reason, (byte) explanation, 0};
    }

    /**
     * The fabric's answer to a login: it is an F_Port, gives further names (NPIV), and has class 3.
     *
     * <pre>
     * 0 code   4 version, 0x2020   6 credit   8 features   10 data field bytes   12 R_A_TOV   16 E_D_TOV   20 port   28 node
     * 68 class 3: valid and in order   74 data field bytes   76 sequences   80 sequences of an exchange
     * </pre>
     */
    static byte[] acceptFabricLogin(long port, long node) {
        byte[] out = login(port, node, 0x8800);
        ByteBuffer.wrap(out)
                .putShort(8, (short) 0x3000)
                .putShort(10, (short) FcFrame.MOST_PAYLOAD)
                .putInt(12, RESOURCE_ALLOCATION_TIMEOUT);
        return out;
    }

    /** A well-known address's answer to a port's login. */
    static byte[] acceptPortLogin(long port, long node) {
        byte[] out = login(port, node, 0x8000);
        ByteBuffer.wrap(out)
                .putShort(8, (short) 0x8800) // offsets grow continuously
                .putShort(10, (short) 2048)
                .putShort(12, (short) 255)
                .putShort(14, (short) 31);
        return out;
    }

    private static byte[] login(long port, long node, int class3) {
        return ByteBuffer.allocate(LOGIN_BYTES)
                .put(0, (byte) ACCEPT)
                .putShort(4, (short) 0x2020)
                .putShort(6, (short) 10)
                .putInt(16, ERROR_DETECT_TIMEOUT)
                .putLong(PORT_NAME, port)
                .putLong(NODE_NAME, node)
                .putShort(CLASS_3, (short) class3)
                .putShort(CLASS_3 + 6, (short) 2048)
                .putShort(CLASS_3 + 8, (short) 255)
                .putShort(CLASS_3 + 12, (short) 1)
                .array();
    }

    /** How long others wait. */
    static byte[] timeouts() {
        return ByteBuffer.allocate(16)
                .put(0, (byte) ACCEPT)
                .putInt(4, RESOURCE_ALLOCATION_TIMEOUT)
                .putInt(8, ERROR_DETECT_TIMEOUT)
                .array();
    }

    /** A port has come, gone or changed (RSCN). */
    static byte[] stateChange(int portId) {
        return new byte[] {STATE_CHANGE, 4, 0, 8, 0, (byte) (portId >> 16), (byte) (portId >> 8), (byte) portId};
    }
}
